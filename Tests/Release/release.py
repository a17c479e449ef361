"""Unpacks a release into a folder that holds it and the libraries that ldd names, nothing else, and runs it with that folder as the root."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Interop"))
from oriel import Checks, free_port  # noqa: E402

TRACE = "0af7651916cd43dd8448eb211c80319c"
# What glibc consists of, and the unwinder that it loads itself; everything else must be inside the program.
ALLOWED = re.compile(r"(linux-vdso|linux-gate|libc|libm|libgcc_s|ld-linux[-a-z0-9_]*)\.so\.[0-9]+")
NOBODY = 65534


class Root:
    """A root folder with the release in it."""

    def __init__(self, folder, release):
        self.folder = folder
        self.release = release
        self.environment = {"ORIEL_DATA": "/var/lib/oriel"}
        is_root = os.geteuid() == 0
        # Swift reads the arguments of a program from /proc, which is there in a mount namespace that ends with the program. Only in a user
        # namespace may one who is not root make it and change the root folder.
        self.chroot = shutil.which("chroot", path=os.environ["PATH"] + ":/usr/sbin")
        self.prefix = [shutil.which("unshare"), "--mount"] + ([] if is_root else ["--user", "--map-root-user"])
        mount = f'mount --rbind /proc "{folder}/proc" && exec "$@"'
        self.prefix += [shutil.which("sh"), "-c", f"PATH=/usr/bin:/bin:/usr/sbin:/sbin; {mount}", "sh", self.chroot]
        self.prefix += [f"--userspec={NOBODY}:{NOBODY}"] if is_root else []
        os.makedirs(os.path.join(folder, "proc"))
        shutil.copytree(release, os.path.join(folder, "usr/local"), symlinks=True)
        data = os.path.join(folder, "var/lib/oriel")
        os.makedirs(data, mode=0o700)
        if is_root:
            os.chown(data, NOBODY, NOBODY)
        # Whoever runs there must reach it.
        os.chmod(folder, 0o755)

    @property
    def program(self):
        return os.path.join(self.folder, "usr/local/bin/oriel")

    def add_libraries(self):
        """Copies what ldd names and returns the names."""
        names = []
        for line in subprocess.run(["ldd", self.program], check=True, capture_output=True, text=True).stdout.splitlines():
            words = line.split()
            names.append(os.path.basename(words[0]))
            path = next((word for word in words if word.startswith("/")), None)
            if path:
                target = self.folder + path
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy(path, target)
        return names

    def command(self, *arguments):
        return [*self.prefix, self.folder, "/usr/local/bin/oriel", *arguments]

    def run(self, *arguments, environment=None):
        return subprocess.run(
            self.command(*arguments), env={**self.environment, **(environment or {})}, capture_output=True, text=True, timeout=60,
        )


def payload():
    """A trace of two spans that ended just now, as OTLP/JSON."""
    now = time.time_ns()
    spans = [
        {
            "traceId": TRACE, "spanId": span, "parentSpanId": parent, "name": name, "kind": 2,
            "startTimeUnixNano": str(now - 250_000_000), "endTimeUnixNano": str(now), "status": {"code": 2 if parent else 1},
        }
        for span, parent, name in (("b7ad6b7169203331", "", "GET /release"), ("00f067aa0ba902b7", "b7ad6b7169203331", "SELECT"))
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "bare"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}


def wait_until_ready(url, process, timeout=30):
    """Seconds until the server said that it is ready, None if it never did."""
    start = time.monotonic()
    while time.monotonic() - start < timeout and process.poll() is None:
        try:
            with urllib.request.urlopen(url + "/-/ready", timeout=1):
                return time.monotonic() - start
        except (urllib.error.URLError, OSError):
            time.sleep(0.002)
    return None


def memory(pid):
    """Resident and anonymous memory of a process in MiB."""
    fields = {}
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            name, _, value = line.partition(":")
            fields[name] = value
    return tuple(int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon"))


def check_contents(checks, release, version):
    for path in (
        "lib/systemd/system/oriel.service", "share/man/man1/oriel.1", "share/bash-completion/completions/oriel", "share/zsh/site-functions/_oriel",
        "share/fish/vendor_completions.d/oriel.fish", "share/doc/oriel/README.md", "share/doc/oriel/LICENSE", "share/oriel/Containerfile",
    ):
        checks.true(f"{path} is there", os.path.getsize(os.path.join(release, path)) > 500)
    checks.true("licences of what is inside", len(os.listdir(os.path.join(release, "share/doc/oriel/licenses"))) > 10)
    completion = os.path.join(release, "share/bash-completion/completions/oriel")
    checks.equal("bash reads its completions", subprocess.run(["bash", "-n", completion], check=False).returncode, 0)
    with open(os.path.join(release, "share/man/man1/oriel.1")) as manual:
        text = manual.read()
    checks.true("the manual page knows the version and the commands", f'"Oriel {version}"' in text and ".SS oriel serve" in text)
    if shutil.which("man"):
        page = os.path.join(release, "share/man/man1/oriel.1")
        complaints = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
        checks.equal("man shows the page without a complaint", complaints, "")


def check_unit(checks, release, folder):
    if not shutil.which("systemd-analyze"):
        print("there is no systemd-analyze; the unit is not looked at")
        return
    with open(os.path.join(release, "lib/systemd/system/oriel.service")) as unit:
        text = unit.read()
    # The program that the unit starts must exist for systemd-analyze; here it lies elsewhere.
    path = os.path.join(folder, "oriel.service")
    with open(path, "w") as unit:
        unit.write(text.replace("/usr/local/bin/oriel", os.path.join(release, "bin/oriel")))
    result = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True)
    complaints = [line for line in result.stderr.splitlines() if "oriel.service" in line]
    checks.equal("systemd understands the unit", (result.returncode, complaints), (0, []))


def check_running(checks, root):
    grpc, http = free_port(), free_port()
    url = f"http://127.0.0.1:{http}"
    listen = {"ORIEL_LISTEN": f"tcp://127.0.0.1:{grpc},tcp://127.0.0.1:{http}"}
    checks.equal("health without a server", root.run("health").returncode, 1)
    log_path = os.path.join(root.folder, "serve.log")
    with open(log_path, "wb") as log:
        process = subprocess.Popen(root.command("serve"), env={**root.environment, **listen}, stdout=log, stderr=log)
    try:
        ready = wait_until_ready(url, process)
        if not checks.true("the server gets ready", ready is not None):
            with open(log_path) as log:
                print(log.read())
            return
        # unshare, sh and chroot become the program.
        pid = process.pid
        resident, anonymous = memory(pid)
        with open(f"/proc/{pid}/maps") as maps:
            mapped = {os.path.basename(line.split()[5]) for line in maps if len(line.split()) > 5 and ".so" in line.split()[5]}
        checks.equal("libraries in memory beyond libc's", sorted(name for name in mapped if not ALLOWED.fullmatch(name)), [])
        health = root.run("health")
        checks.equal("health of a server", (health.returncode, health.stderr), (0, ""))

        request = urllib.request.Request(
            url + "/v1/traces", data=json.dumps(payload()).encode(), headers={"content-type": "application/json"}, method="POST",
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            checks.equal("a post from outside", (response.status, json.load(response)), (200, {}))
        traces = root.run("traces", "--output", "json")
        checks.equal("oriel traces", (traces.returncode, traces.stderr), (0, ""))
        checks.true("oriel traces finds the trace", TRACE in traces.stdout and "GET /release" in traces.stdout, traces.stdout)
        trace = root.run("trace", TRACE[:8])
        checks.true("oriel trace shows both spans", "GET /release" in trace.stdout and "SELECT" in trace.stdout, trace.stdout + trace.stderr)
        with urllib.request.urlopen(url + "/metrics", timeout=10) as response:
            checks.true("/metrics tells the revision", re.search(r'oriel_build_info\{.*revision="[0-9a-f]{7}', response.read().decode()))

        start = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        checks.equal("exit status after SIGTERM", process.wait(timeout=30), 0)
        print(f"ready after {ready * 1000:.0f} ms, idle {resident:.1f} MiB resident of which {anonymous:.1f} MiB anonymous, "
              f"stopped in {(time.monotonic() - start) * 1000:.0f} ms")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    stopped = root.run("traces", "--data", "/var/lib/oriel", "--output", "json")
    checks.true("a stopped store is read without a server", TRACE in stopped.stdout, stopped.stderr)
    refused = root.run("serve", environment={"ORIEL_LISTEN": f"tcp://0.0.0.0:{http}"})
    checks.true("without tokens it stays on this machine", refused.returncode != 0 and "--allow-anonymous" in refused.stderr, refused.stderr)


def main():
    tarball = os.path.abspath(sys.argv[1])
    checks = Checks("release")
    folder = tempfile.mkdtemp(prefix="oriel-release-")
    try:
        os.chmod(folder, 0o755)
        subprocess.run(["tar", "--extract", "--file", tarball, "--directory", folder], check=True)
        name = os.path.basename(tarball).removesuffix(".tar.gz")
        checks.equal("one folder of the archive's name", os.listdir(folder), [name])
        release = os.path.join(folder, name)
        root = Root(os.path.join(folder, "root"), release)
        libraries = root.add_libraries()
        checks.equal("libraries beyond libc's", [library for library in libraries if not ALLOWED.fullmatch(library)], [])
        version = root.run("--version")
        match = re.fullmatch(r"oriel ([0-9.]+\S*) \([0-9a-f]{7,40}(-modified)?\)\n", version.stdout)
        if checks.true("version and revision", match and name.startswith(f"oriel-{match[1]}-linux-"), version.stdout + version.stderr):
            checks.group("contents", check_contents, checks, release, match[1])
        checks.group("unit", check_unit, checks, release, folder)
        checks.group("running", check_running, checks, root)
        print(f"{', '.join(libraries)}; {version.stdout.strip()}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return checks.finish()


sys.exit(main())
