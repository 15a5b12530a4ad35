8package a

p = 1 { input.x }
p = 2 { input.y }

f(x) = y { y := input[x][_] }

q = f("list")

r { to_number("abc", x) }
#input
{"x": true, "y": true, "list": [1, 2]}
