"""The embedded Step Functions: a durable interpreter of Amazon States Language with AWS's API.

Read in this order: limits, definition, checks, paths, intrinsics, templates, choice, query, jsonata_query, retry, registry,
history, branch, states, tasks, concurrent, callbacks, interpreter, service, actions, api, invoker.
"""
