"""Quality review: which calls are reviewed, what is asked of each, what was answered; and care for whoever listens.

rules        which calls are drawn, as data: rules.toml
sampling     the draw itself, from the call's id alone
scorecard    what is asked of a call, as data: scorecard.toml
worklist     reviews: waiting, taken, given back, done
assessments  answers to a scorecard, each with its place in the call; the operator's reply
agreement    how far two reviewers of one call agree
figures      answers over time and by line, and by nothing else
exposure     loud, crying-like and long-silent stretches, as a hint before one hears them
strokes      each keystroke: at the microphone, and what the caller was left with
care         what a listener has chosen for themselves

Nothing here is counted by person, neither by operator nor by reviewer.
"""
