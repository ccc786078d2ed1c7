"""What is known about people besides touchpoints: places, days, facts and news of them. Pure."""
