class Point(Base):
    x: float = 0.0
    y: float = 0.0

    def scale(self, by: float) -> "Point":
        while by < -1:
            by *= 2
        with open("log.txt", "w") as log:
            log.write(str(by))
        result = Point(
            self.x * by,
            self.y * by,
        )
        return result if by != 1 else self
