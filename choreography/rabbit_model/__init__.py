"""A model of one RabbitMQ node behind its own protocol: queues, vhost (their messages, and what a crash leaves), frames, session, node."""
