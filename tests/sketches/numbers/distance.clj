(size 60 60)
(fill 230 180 40)
(ellipse 30 30 (dist 0 0 24 32) (sqrt 900))
(rect 4 4 (pow 2 3) (degrees (radians 6)))
