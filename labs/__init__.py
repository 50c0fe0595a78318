"""The lessons of a workshop, one folder each; testbed/labs/ starts and grades them. base/ is the saga that most of them begin with."""
