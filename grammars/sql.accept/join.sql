WITH recent AS (
  SELECT DISTINCT o.user_id, SUM(o.total) AS total
  FROM orders AS o
  WHERE o.created BETWEEN '2026-01-01' AND '2026-12-31' AND NOT (o.total < 1 OR o.state IN ('void', 'open'))
  GROUP BY o.user_id
  HAVING SUM(o.total) > 100
)
SELECT u.name, COALESCE(r.total, 0) * 1.5 AS score, CASE WHEN u.age IS NULL THEN 'unknown' ELSE 'known' END AS kind
FROM users u
LEFT JOIN recent r ON r.user_id = u.id
WHERE EXISTS (SELECT 1 FROM cities WHERE cities.name = u.city)
ORDER BY score DESC, u.name;
