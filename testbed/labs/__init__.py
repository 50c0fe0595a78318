"""The labs of a workshop: lab.py (what a lab is), folders.py (start, solution), grading.py (the child that runs a student's code), answers.py
(what is answered on paper), progress in check.py.
"""
