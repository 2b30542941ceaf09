"""What the tests are built with: builders, doubles, clocks, loss patterns, real peers. Code like any other."""
