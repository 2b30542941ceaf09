"""Operators at work: who is free, which waiting call is offered to whom, who has which call in hand.

availability    who is there to answer, as their screens tell every few seconds
offers          which call is offered to which operator: one function of who waits and who is free
queue           the calls that wait, answering one, the call that somebody has in hand
guides          checklists, labels and what else is asked: data
notes           what is written beside a call, and ticks of its checklists
wrap_up         the case, labels, consents and hand-over of a call that is over
cases           the calls that were written up under one number
"""
