"""What may be concluded from runs on each pair of backends, and what not."""

CONCLUSIONS = {
    "embedded": "Embedded pair: broker and engine are parts of this process. Verdicts and counts hold;"
    " latencies compare the two styles here, and say nothing about RabbitMQ or AWS.",
    "real": "Real pair: a RabbitMQ node, and the embedded Step Functions engine in a process of its own behind"
    " its HTTP API. Latencies compare the two styles on this machine; the engine's time is not AWS's time.",
    "mixed": "Mixed backends: verdicts and counts only. Latencies of different backends are not comparable.",
}
