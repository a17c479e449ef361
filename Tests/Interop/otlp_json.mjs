// OTLP/JSON without any library: what a browser or a shell script would send, with its mistakes.
//
// Usage: node otlp_json.mjs URL

import { randomBytes } from "node:crypto";
import { deepStrictEqual } from "node:assert";
import { request as httpRequest } from "node:http";
import { deflateSync, gzipSync } from "node:zlib";

const base = process.argv[2];
let passed = 0;
let failed = 0;

function equal(what, got, expected) {
    try {
        deepStrictEqual(got, expected);
        passed += 1;
    } catch {
        failed += 1;
        console.log(`FAILED OTLP/JSON: ${what}\n  expected ${JSON.stringify(expected)}\n  got      ${JSON.stringify(got)}`);
    }
}

function check(what, condition, detail = "") {
    if (condition) {
        passed += 1;
    } else {
        failed += 1;
        console.log(`FAILED OTLP/JSON: ${what} ${detail}`);
    }
}

async function group(what, body) {
    try {
        await body();
    } catch (error) {
        failed += 1;
        console.log(`FAILED OTLP/JSON: ${what} ended early: ${error.stack}`);
    }
}

async function post(path, message, headers = {}) {
    const body = typeof message === "string" || message instanceof Uint8Array ? message : JSON.stringify(message);
    const response = await fetch(base + path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
    const text = await response.text();
    let json = null;
    try {
        json = JSON.parse(text);
    } catch {
        // Some answers are no JSON; the checks say which must be.
    }
    return { status: response.status, type: response.headers.get("content-type"), headers: response.headers, json, text };
}

async function get(path) {
    const response = await fetch(base + "/api/oriel/v1" + path);
    return { status: response.status, json: await response.json() };
}

const id = (bytes) => randomBytes(bytes).toString("hex");
const nano = (offset = 0) => (BigInt(Date.now()) * 1000000n + BigInt(offset)).toString();
const resource = (service) => ({ attributes: [{ key: "service.name", value: { stringValue: service } }] });
const sorted = (attributes) => [...attributes].sort((a, b) => (a.key < b.key ? -1 : 1));

// Values as the API must return them: 64-bit integers as strings, bytes as base64.
const everyType = sorted([
    { key: "array", value: { arrayValue: { values: [{ stringValue: "a" }, { intValue: "2" }, { boolValue: false }, {}] } } },
    { key: "bytes", value: { bytesValue: "AP8QIA==" } },
    { key: "double", value: { doubleValue: 0.1 } },
    { key: "empty", value: {} },
    { key: "false", value: { boolValue: false } },
    { key: "int", value: { intValue: "9223372036854775807" } },
    { key: "map", value: { kvlistValue: { values: [{ key: "k", value: { doubleValue: -1.5 } }] } } },
    { key: "negative", value: { intValue: "-42" } },
    { key: "text", value: { stringValue: "ü \"quoted\" \\ \u2028 🌍" } },
]);

await group("empty requests", async () => {
    for (const path of ["/v1/traces", "/v1/logs", "/v1/metrics"]) {
        const answer = await post(path, "{}");
        equal(`${path} with {}`, [answer.status, answer.text], [200, "{}"]);
        check(`${path} answers in JSON`, answer.type?.startsWith("application/json"), answer.type);
    }
});

await group("spans", async () => {
    const traceId = id(16);
    const [root, child] = [id(8), id(8)];
    const [start, end, moment] = [nano(123), nano(5000000), nano(777)];
    const link = { traceId: id(16), spanId: id(8), traceState: "a=b", attributes: [{ key: "n", value: { intValue: "1" } }], droppedAttributesCount: 2, flags: 1 };
    const answer = await post("/v1/traces", {
        unknownMember: { nested: [1, { deep: null }] },
        resourceSpans: [{
            resource: { attributes: [...resource("node-shop").attributes, ...everyType], droppedAttributesCount: 3 },
            schemaUrl: "https://example.com/resource",
            scopeSpans: [{
                scope: { name: "lib", version: "1.0", attributes: [{ key: "s", value: { boolValue: true } }], droppedAttributesCount: 1 },
                schemaUrl: "https://example.com/scope",
                spans: [
                    {
                        traceId: traceId.toUpperCase(), spanId: root, traceState: "vendor=1", name: "GET /", kind: 2, startTimeUnixNano: start,
                        endTimeUnixNano: end, attributes: everyType, droppedAttributesCount: 4,
                        events: [{ timeUnixNano: moment, name: "event", attributes: everyType, droppedAttributesCount: 5 }], droppedEventsCount: 6,
                        links: [link], droppedLinksCount: 7, status: { code: 2, message: "broken" }, flags: 257, futureMember: "ignored",
                    },
                    // Numbers where strings are usual, the enum by its name, an empty parent: all seen in the wild.
                    {
                        traceId, spanId: child, parentSpanId: root, name: "child", kind: "SPAN_KIND_CLIENT", startTimeUnixNano: Number(start),
                        endTimeUnixNano: end, attributes: [{ key: "n", value: { intValue: 200 } }], status: null,
                    },
                ],
            }],
        }],
    });
    equal("spans are accepted", [answer.status, answer.text], [200, "{}"]);
    const { status, json } = await get(`/traces/${traceId}`);
    equal("the trace is found", [status, json.span_count], [200, 2]);
    const span = json.spans.find((candidate) => candidate.span_id === root);
    equal("trace id", span.trace_id, traceId);
    equal("no parent", span.parent_span_id, null);
    equal("trace state", span.trace_state, "vendor=1");
    equal("name and kind", [span.name, span.kind], ["GET /", "server"]);
    equal("times", [span.start_time_unix_nano, span.end_time_unix_nano], [start, end]);
    equal("duration", span.duration_nano, (BigInt(end) - BigInt(start)).toString());
    equal("status", span.status, { code: "error", message: "broken" });
    equal("flags", span.flags, 257);
    equal("attributes", sorted(span.attributes), everyType);
    equal("dropped counts", [span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count], [4, 6, 7]);
    equal("event", [span.events[0].name, span.events[0].time_unix_nano, span.events[0].dropped_attributes_count], ["event", moment, 5]);
    equal("event attributes", sorted(span.events[0].attributes), everyType);
    equal("link", [span.links[0].trace_id, span.links[0].span_id, span.links[0].trace_state, span.links[0].flags], [link.traceId, link.spanId, "a=b", 1]);
    equal("link attributes", [span.links[0].attributes, span.links[0].dropped_attributes_count], [link.attributes, 2]);
    equal("resource", sorted(span.resource.attributes), sorted([...resource("node-shop").attributes, ...everyType]));
    equal("resource's rest", [span.resource.dropped_attributes_count, span.resource.schema_url], [3, "https://example.com/resource"]);
    equal("scope", [span.scope.name, span.scope.version, span.scope.dropped_attributes_count, span.scope.schema_url], ["lib", "1.0", 1, "https://example.com/scope"]);
    const other = json.spans.find((candidate) => candidate.span_id === child);
    equal("child", [other.parent_span_id, other.kind, other.status.code], [root, "client", "unset"]);
    equal("an integer sent as a number", other.attributes, [{ key: "n", value: { intValue: "200" } }]);
    const list = await get("/traces?service=node-shop&status=error&since=10m");
    check("the trace is listed by service and status", list.json.traces.some((trace) => trace.trace_id === traceId));
});

await group("logs", async () => {
    const traceId = id(16);
    const spanId = id(8);
    const [moment, observed] = [nano(11), nano(99)];
    const answer = await post("/v1/logs", {
        resourceLogs: [{
            resource: resource("node-logs"),
            scopeLogs: [{
                scope: { name: "logger" },
                logRecords: [
                    {
                        timeUnixNano: moment, observedTimeUnixNano: observed, severityNumber: 17, severityText: "Error",
                        body: { kvlistValue: { values: [{ key: "message", value: { stringValue: "no" } }, { key: "n", value: { intValue: "1" } }] } },
                        attributes: everyType, droppedAttributesCount: 1, flags: 1, traceId, spanId, eventName: "shop.failed",
                    },
                    { observedTimeUnixNano: observed, body: { stringValue: "only an observed time" } },
                ],
            }],
        }],
    }, { "content-type": "application/json; charset=utf-8" });
    equal("log records are accepted", [answer.status, answer.text], [200, "{}"]);
    const { json } = await get(`/logs?trace_id=${traceId}`);
    equal("found by trace id", json.logs.length, 1);
    const [record] = json.logs;
    equal("times", [record.time_unix_nano, record.observed_time_unix_nano], [moment, observed]);
    equal("severity", [record.severity_number, record.severity_text, record.severity], [17, "Error", record.severity]);
    equal("body", record.body, { kvlistValue: { values: [{ key: "message", value: { stringValue: "no" } }, { key: "n", value: { intValue: "1" } }] } });
    equal("attributes", sorted(record.attributes), everyType);
    equal("ids", [record.trace_id, record.span_id, record.event_name, record.flags], [traceId, spanId, "shop.failed", 1]);
    const all = await get("/logs?service=node-logs&since=10m");
    equal("both records", all.json.logs.length, 2);
    const second = all.json.logs.find((candidate) => candidate.body.stringValue === "only an observed time");
    equal("a record without a time takes the observed one", [second.time_unix_nano, second.time_origin], [observed, "observed"]);
    const errors = await get("/logs?service=node-logs&severity=error&since=10m");
    equal("found by severity", errors.json.logs.length, 1);
    const text = await get("/logs?text=only+an+observed&since=10m");
    check("found by text", text.json.logs.length >= 1);
});

await group("metrics", async () => {
    const attributes = [{ key: "path", value: { stringValue: "/" } }];
    const [start, time] = [nano(-60e9), nano()];
    const answer = await post("/v1/metrics", {
        resourceMetrics: [{
            resource: resource("node-metrics"),
            scopeMetrics: [{
                scope: { name: "meter" },
                metrics: [
                    { name: "node.requests", unit: "1", sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ attributes, startTimeUnixNano: start, timeUnixNano: time, asInt: "9007199254740993" }] } },
                    { name: "node.heat", unit: "Cel", gauge: { dataPoints: [{ timeUnixNano: time, asDouble: "NaN" }, { attributes, timeUnixNano: time, asDouble: 21.5 }] } },
                    { name: "node.latency", unit: "ms", histogram: { aggregationTemporality: 2, dataPoints: [{ startTimeUnixNano: start, timeUnixNano: time, count: "3", sum: 12.5, bucketCounts: ["1", "2", "0"], explicitBounds: [1, 10] }] } },
                    { name: "node.summary", summary: { dataPoints: [{ startTimeUnixNano: start, timeUnixNano: time, count: "4", sum: 8, quantileValues: [{ quantile: 0.5, value: 2 }, { quantile: 0.99, value: 3 }] }] } },
                ],
            }],
        }],
    });
    equal("metrics are accepted", [answer.status, answer.text], [200, "{}"]);
    const { json } = await get("/series?label=job%3Dnode-metrics&since=10m&limit=1000");
    const value = (name, labels = {}) => {
        const found = json.series.filter((row) => row.name === name && Object.entries(labels).every(([key, label]) => row.labels[key] === label));
        return found.length === 1 ? found[0].last?.value : `${found.length} series`;
    };
    equal("counter", value("node_requests_total", { path: "/" }), 9007199254740992);
    equal("gauge", value("node_heat_celsius", { path: "/" }), 21.5);
    equal("buckets", ["1.0", "10.0", "+Inf"].map((le) => value("node_latency_milliseconds_bucket", { le })).map((v, i) => (typeof v === "string" ? value("node_latency_milliseconds_bucket", { le: ["1", "10", "+Inf"][i] }) : v)), [1, 3, 3]);
    equal("histogram's sum and count", [value("node_latency_milliseconds_sum"), value("node_latency_milliseconds_count")], [12.5, 3]);
    equal("summary", [value("node_summary", { quantile: "0.5" }), value("node_summary", { quantile: "0.99" }), value("node_summary_count")], [2, 3, 4]);
});

await group("partial success", async () => {
    const traceId = id(16);
    const good = { traceId, spanId: id(8), name: "good", kind: 1, startTimeUnixNano: nano(), endTimeUnixNano: nano(5) };
    const answer = await post("/v1/traces", {
        resourceSpans: [{
            resource: resource("node-partial"),
            scopeSpans: [{ spans: [good, { ...good, traceId: "00".repeat(16), spanId: id(8) }, { ...good, spanId: "00".repeat(8) }] }],
        }],
    });
    equal("bad ids do not fail the request", answer.status, 200);
    equal("rejected spans are counted", answer.json?.partialSuccess?.rejectedSpans, "2");
    check("and explained", (answer.json?.partialSuccess?.errorMessage ?? "").length > 0, answer.text);
    const { json } = await get(`/traces/${traceId}`);
    equal("the good span is kept", json.span_count, 1);
});

await group("errors", async () => {
    const broken = await post("/v1/traces", '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"');
    equal("cut JSON", broken.status, 400);
    equal("cut JSON: the status in JSON", broken.json?.code, 3);
    check("cut JSON: says what is wrong", (broken.json?.message ?? "").length > 10, broken.text);
    const wrongType = await post("/v1/traces", '{"resourceSpans": 5}');
    equal("a number where an array belongs", wrongType.status, 400);
    check("and the field is named", /resourceSpans/.test(wrongType.text), wrongType.text);
    equal("text/plain", (await post("/v1/traces", "{}", { "content-type": "text/plain" })).status, 415);
    equal("unknown encoding", (await post("/v1/traces", "{}", { "content-encoding": "br" })).status, 415);
    equal("broken gzip", (await post("/v1/traces", "no gzip", { "content-encoding": "gzip" })).status, 400);
    equal("GET", (await fetch(base + "/v1/traces")).status, 405);
    equal("an unknown path", (await post("/v1/trace", "{}")).status, 404);
    const protobuf = await fetch(base + "/v1/logs", { method: "POST", headers: { "content-type": "application/x-protobuf" }, body: new Uint8Array([0x0a, 0x05, 1]) });
    equal("cut protobuf", protobuf.status, 400);
    check("cut protobuf is answered in protobuf", protobuf.headers.get("content-type")?.startsWith("application/x-protobuf"), protobuf.headers.get("content-type"));
    const deep = "[".repeat(200) + "]".repeat(200);
    check("deep nesting does not hurt", [200, 400].includes((await post("/v1/logs", `{"unknown":${deep}}`)).status));
});

await group("encodings", async () => {
    for (const [name, compress] of [["gzip", gzipSync], ["deflate", deflateSync]]) {
        const traceId = id(16);
        const message = {
            resourceSpans: [{ resource: resource("node-" + name), scopeSpans: [{ spans: [{ traceId, spanId: id(8), name, startTimeUnixNano: nano(), endTimeUnixNano: nano(1) }] }] }],
        };
        const answer = await post("/v1/traces", compress(JSON.stringify(message)), { "content-encoding": name });
        equal(`${name} is accepted`, answer.status, 200);
        equal(`${name} is stored`, (await get(`/traces/${traceId}`)).json.span_count, 1);
    }
    const bomb = gzipSync(Buffer.alloc(100 << 20, 32), { level: 9 });
    equal("a gzip bomb", (await post("/v1/traces", bomb, { "content-encoding": "gzip" })).status, 413);
});

await group("connections", async () => {
    // Expect: 100-continue, which curl and some agents send before large bodies.
    const status = await new Promise((resolve, reject) => {
        const body = "{}";
        const request = httpRequest(base + "/v1/traces", { method: "POST", headers: { "content-type": "application/json", "content-length": body.length, expect: "100-continue" } });
        let isContinued = false;
        request.on("continue", () => { isContinued = true; request.end(body); });
        request.on("response", (response) => { response.resume(); resolve([isContinued, response.statusCode]); });
        request.on("error", reject);
        request.setTimeout(10000, () => reject(new Error("no answer")));
        request.flushHeaders();
    });
    equal("Expect: 100-continue", status, [true, 200]);
    const preflight = await fetch(base + "/v1/traces", { method: "OPTIONS", headers: { origin: "https://shop.example", "access-control-request-method": "POST", "access-control-request-headers": "content-type" } });
    check("CORS preflight", [200, 204].includes(preflight.status) && preflight.headers.get("access-control-allow-origin") !== null, preflight.status);
    const foreign = await fetch(base + "/api/oriel/v1/traces", { headers: { origin: "https://evil.example" } });
    equal("a foreign origin may not query", foreign.status, 403);
    const many = await Promise.all(Array.from({ length: 50 }, () => post("/v1/logs", "{}")));
    check("fifty requests at once", many.every((answer) => answer.status === 200));
});

console.log(`OTLP/JSON from Node.js: ${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
