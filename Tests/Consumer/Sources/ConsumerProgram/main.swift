import Oriel

let registry = Oriel.MetricRegistry(configuration: .init(reportsItself: false))
registry.counter("consumer_runs", labels: ["kind": "check"], help: "Runs of the consumer.").increment()
print(Oriel.prometheusText(registry), terminator: "")
