"""The saga as services that react to each other's events.

Read in this order: reactions (the whole flow), broker (what is promised), consumer, relay, deadline,
service_host, system; then memory_broker, rabbit_broker, rabbit_node.
"""
