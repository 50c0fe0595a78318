"""The embedded Step Functions: a durable interpreter of Amazon States Language with AWS's API.

Read in this order: definition, paths, choice, retry, history, states, interpreter, service, api, invoker.
"""
