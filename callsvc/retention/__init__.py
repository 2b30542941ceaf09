"""How long calls are kept: rules as data, holds that go before every rule, and what would go tonight.

rules      retention.toml: which calls, how long after what, and on which ground
tonight    every call judged in one question to the database: goes, is held, is not due, or no rule speaks of it
holds      orders to keep a call or a case, and when cases were closed

Nothing is deleted here.
"""
