"""`python -m testbed` is `saga`."""

from testbed.cli import main

main()
