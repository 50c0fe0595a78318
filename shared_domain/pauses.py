"""Python's garbage collector stops everything while it looks at every object."""

import gc


def look_only_at_what_comes() -> None:
    """Collect once, and never look again at what is here now: mostly imported modules, 100 to 150 ms at a time.

    Who is served meanwhile waits as long, and a style that makes more objects waits more often.
    """
    gc.collect()
    gc.freeze()
