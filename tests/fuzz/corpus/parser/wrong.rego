1package a
p { q }
q { p }
f(x) { g(x, 1) }
g(x) = 5 + "a"
p = 1
p[x] { x = [1,2][i].j; {"a": 1}.b }
