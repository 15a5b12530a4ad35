2package a

import input.x as y

p[x] { x = y; not z }
p["a"] = 1 { true }
f(x) = f(x) { x := 1; x := 2 }
g = re_match("a", input.b, 3) { data.c[_] }
