"""What a process shows of its work: numbers (`metrics`), and spans for those who collect them."""
