"""Ground truth that models are trained with and judged by: taken in, looked over, stored, given out line by line."""
