"""Every limit of the engine: AWS's first, then what keeps memory and time bounded here.

Source: AWS Step Functions Developer Guide, "Quotas"; Amazon States Language; recorded answers.
"""

MAX_EVENTS = 25_000
"""Events of a Standard execution's history."""
MAX_PAYLOAD_BYTES = 262_144
"""Bytes of an input, an output, a result, or a task's parameters."""
MAX_DEFINITION_BYTES = 1_048_576
"""Bytes of a definition."""
MAX_REQUEST_BYTES = 4_194_304
"""Bytes of an API request."""
MAX_NAME = 80
"""Characters of the name of a state, a machine, an execution or an activity."""
MAX_VARIABLE_NAME = 80
"""Characters of the name of a variable."""
MAX_ASSIGNED_BYTES = 262_144
"""Bytes of all variables that one Assign sets."""
MAX_NESTED_CALLS = 10
"""Intrinsic functions inside of each other."""
MAX_REGEX_S = 0.1
"""Seconds that a regular expression of an author's may take."""
MAX_ERROR, MAX_CAUSE = 256, 32_768
"""Characters of an error and of its cause, in answers and in the history."""
MAX_NUMBER = 99_999_999
"""Seconds and counts that a definition may give, or compute."""
MAX_DELAY_S = 2_147_483_647
"""Seconds that a Wait state under JSONPath may compute."""
MAX_RETRY_DELAY_S = 31_622_400.0
"""Seconds between two attempts: a year."""
MAX_EXPRESS_S = 300
"""Seconds, unscaled, that an Express execution may run."""
REDRIVABLE_S = 14 * 86_400.0
"""Seconds after its end within which an execution can be redriven."""
MOST_AT_ONCE = 40
"""Iterations of an inline Map that run at once."""
PAGE_SIZE = 100
"""Results of a page if the request does not say."""
MAX_PAGE_SIZE = 1_000
"""Results that a page may hold."""
POLL_S = 55.0
"""Seconds that GetActivityTask waits for a task; AWS takes 60, which is when boto3's default gives up."""
MAX_INTRINSIC_TEXT = 10_000
"""Characters that States.Base64Encode, States.Base64Decode and States.Hash take."""
MAX_INTRINSIC_RANGE = 1_000
"""Items that States.ArrayRange gives."""
MAX_JSONATA_RANGE = 873_782
"""Items that JSONata's $range gives."""
MAX_JSONATA_MS = 1_000
"""Milliseconds of one evaluation of a JSONata expression."""
MAX_PENDING = 100
"""Events that may wait to be durable while nothing has an effect; then other executions get their turn."""
QUIET_TURNS = 50
"""Turns of the event loop without a replayed event after which a replay is over, however deep its branches are."""
MAX_MACHINES = 1_000
"""State machines kept in memory."""
MAX_KEPT_TEXT = 4_194_304
"""Characters of the definitions that are kept parsed in memory."""
MAX_CACHED = 4_096
"""Parsed paths, templates and expressions kept in memory, of each kind."""
MAX_CONNECTIONS = 256
"""Connections to the functions' endpoint."""
MAX_SERVICE_CALLS = 16
"""Calls of other AWS services that are made at once; more of them wait."""
