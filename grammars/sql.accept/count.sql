SELECT city, COUNT(*) AS users FROM users WHERE age > 30 GROUP BY city ORDER BY users DESC LIMIT 10;
