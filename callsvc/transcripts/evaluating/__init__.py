"""How good a model is on recordings whose words are known: one's own calls above all.

references    sounds and what is said in them
aligning      which heard word stands for which spoken one
measuring     figures of one model
report        table and plot
command       `callsvc evaluate`
"""
