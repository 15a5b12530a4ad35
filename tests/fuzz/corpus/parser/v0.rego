0package a
p[x] { x = input.y[_]; not q(x) } { every k, v in x { k > v } }
q(x) = y { y := [z | z := x[_]] } else = 2
