"""A class at one endpoint: who its learners are, what they share, and what each may use.

shares      equal questions get one answer
"""
