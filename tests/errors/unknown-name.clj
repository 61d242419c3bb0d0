(let [breadth 10]
  (rect 0 0 breadht 5))
