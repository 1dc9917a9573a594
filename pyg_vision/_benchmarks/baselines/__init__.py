"""Dense code to measure against: as published, and as good as dense code can be."""
