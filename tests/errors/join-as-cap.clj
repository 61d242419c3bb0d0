(stroke-cap :miter)
