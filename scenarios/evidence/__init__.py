"""What each kind of evidence can tell of a saga, and how right it is.

In reading order: evidence.py (what was kept, by order), correlated.py and traced.py (a saga from ids, and from spans; the styles
have their own native and audited timelines), truth.py (a saga from its ledgers), diagnosis.py (where is it, and why), remarks.py
(what its status does not say), ranked_causes.py (what went wrong), scores.py (how right all of that is).
"""
