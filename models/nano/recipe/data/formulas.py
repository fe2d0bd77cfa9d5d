"""Functions that are one expression: formulas of geometry, physics and money, conversions of units, usual predicates."""

import re

from languages import TYPES, Function, case, function_case, make_public, operators, returned

# names | parameters | expression | descriptions
FORMULAS = """
rectangle_area,area_of_rectangle | width height | width * height | Return the area of a rectangle | Compute the area of a rectangle from its width and height
rectangle_perimeter | width height | 2 * (width + height) | Return the perimeter of a rectangle | Compute the perimeter of a rectangle
square_area,area_of_square | side | side * side | Return the area of a square | Compute the area of a square with the given side
circle_area,area_of_circle | radius | PI * radius * radius | Return the area of a circle with the given radius | Compute the area of a circle
circumference,circle_circumference | radius | 2 * PI * radius | Return the circumference of a circle | Compute the circumference of a circle with the given radius
sphere_volume | radius | 4 / 3 * PI * radius * radius * radius | Return the volume of a sphere | Compute the volume of a sphere with the given radius
cylinder_volume | radius height | PI * radius * radius * height | Return the volume of a cylinder | Compute the volume of a cylinder
cube_volume | side | side * side * side | Return the volume of a cube | Compute the volume of a cube with the given side
box_volume | width height depth | width * height * depth | Return the volume of a box | Compute the volume of a box from its three sides
cone_volume | radius height | PI * radius * radius * height / 3 | Return the volume of a cone
hypotenuse | a b | sqrt(a * a + b * b) | Return the length of the hypotenuse of a right triangle | Compute the hypotenuse from the two other sides
distance,point_distance | x1 y1 x2 y2 | sqrt((x2 - x1) * (x2 - x1) + (y2 - y1) * (y2 - y1)) | Return the distance between two points | Compute the Euclidean distance between two points
manhattan_distance | x1 y1 x2 y2 | abs(x1 - x2) + abs(y1 - y2) | Return the Manhattan distance between two points
celsius_to_fahrenheit,c_to_f | celsius | celsius * 9 / 5 + 32 | Convert a temperature from Celsius to Fahrenheit | Convert degrees Celsius to degrees Fahrenheit
fahrenheit_to_celsius,f_to_c | fahrenheit | (fahrenheit - 32) * 5 / 9 | Convert a temperature from Fahrenheit to Celsius | Convert degrees Fahrenheit to degrees Celsius
celsius_to_kelvin | celsius | celsius + 273.15 | Convert a temperature from Celsius to Kelvin
kelvin_to_celsius | kelvin | kelvin - 273.15 | Convert a temperature from Kelvin to Celsius
bmi,body_mass_index | weight height | weight / (height * height) | Return the body mass index | Compute the body mass index from weight and height
simple_interest | principal rate years | principal * rate * years | Return the simple interest | Compute the simple interest for a principal, a rate and a number of years
compound_interest | principal rate years | principal * pow(1 + rate, years) | Return the final amount with compound interest | Compute the compound interest
percentage,percent_of | part whole | part / whole * 100 | Return what percentage part is of whole | Compute a percentage
percent_change,percentage_change | old_value new_value | (new_value - old_value) / old_value * 100 | Return the percentage change between two values | Compute the percent change from an old to a new value
apply_discount,discounted_price | price discount | price * (1 - discount / 100) | Apply a percentage discount to a price | Return the price after a discount in percent
add_tax,price_with_tax | price tax_rate | price * (1 + tax_rate) | Return the price including tax | Add tax to a price
tip_amount,calculate_tip | bill percent | bill * percent / 100 | Return the tip for a bill | Calculate the tip for a bill with the given percentage
lerp,interpolate | a b t | a + (b - a) * t | Linearly interpolate between two values | Return the linear interpolation between a and b
midpoint,middle | a b | (a + b) / 2 | Return the midpoint between two numbers | Compute the value halfway between a and b
average_of_two | a b | (a + b) / 2 | Return the average of two numbers
average_of_three | a b c | (a + b + c) / 3 | Return the average of three numbers
speed,average_speed | distance time | distance / time | Return the average speed | Compute the speed from distance and time
travel_time | distance speed | distance / speed | Return the time needed to travel a distance at a given speed
kinetic_energy | mass velocity | 0.5 * mass * velocity * velocity | Return the kinetic energy of a moving body | Compute the kinetic energy from mass and velocity
force | mass acceleration | mass * acceleration | Return the force acting on a mass | Compute the force from mass and acceleration
density | mass volume | mass / volume | Return the density of a material | Compute the density from mass and volume
voltage,ohms_law | current resistance | current * resistance | Return the voltage from current and resistance | Compute the voltage with Ohm's law
degrees_to_radians,to_radians | degrees | degrees * PI / 180 | Convert an angle from degrees to radians | Convert degrees to radians
radians_to_degrees,to_degrees | radians | radians * 180 / PI | Convert an angle from radians to degrees | Convert radians to degrees
square | x | x * x | Return the square of a number | Compute the square of x
cube | x | x * x * x | Return the cube of a number | Compute the cube of x
double,double_value | x | x * 2 | Return twice the given number | Double a number
half,halve | x | x / 2 | Return half of the given number | Halve a number
negate | x | -x | Return the negation of a number | Negate a number
subtract | a b | a - b | Subtract b from a | Return the difference of two numbers
add_numbers,sum_two,add_two | a b | a + b | Add two numbers | Return the sum of two numbers
multiply_numbers,product_of_two | a b | a * b | Multiply two numbers | Return the product of two numbers
difference,abs_difference | a b | abs(a - b) | Return the absolute difference of two numbers | Compute the distance between two numbers
trapezoid_area | a b height | (a + b) / 2 * height | Return the area of a trapezoid
profit | revenue cost | revenue - cost | Return the profit from revenue and cost | Compute the profit
net_salary | gross tax_rate | gross - gross * tax_rate | Return the net salary after tax | Compute the salary after tax
slope | x1 y1 x2 y2 | (y2 - y1) / (x2 - x1) | Return the slope of the line through two points | Compute the slope between two points
quadratic,evaluate_quadratic | a b c x | a * x * x + b * x + c | Evaluate a quadratic polynomial at x | Return the value of a quadratic function
linear,evaluate_line | m b x | m * x + b | Evaluate a line with slope m and intercept b at x
"""

UNITS = """
miles kilometers 1.609344
feet meters 0.3048
inches centimeters 2.54
pounds kilograms 0.45359237
gallons liters 3.78541
hours minutes 60
minutes seconds 60
days hours 24
weeks days 7
kilobytes bytes 1024
megabytes kilobytes 1024
yards meters 0.9144
ounces grams 28.3495
acres square_meters 4046.86
knots kilometers_per_hour 1.852
hours seconds 3600
gigabytes megabytes 1024
meters centimeters 100
kilometers meters 1000
"""


def read_formulas():
    """(names, parameters, expression, descriptions) of every formula, conversions in both directions."""
    found = []
    for line in FORMULAS.strip().split("\n"):
        names, parameters, expression, *descriptions = line.split(" | ")
        found.append((names.split(","), parameters.split(), expression, descriptions))
    for line in UNITS.strip().split("\n"):
        a, b, factor = line.split()
        for one, other, sign in ((a, b, "*"), (b, a, "/")):
            said, other_said = one.replace("_", " "), other.replace("_", " ")
            descriptions = [f"Convert {said} to {other_said}", f"Return the number of {other_said} for the given {said}"]
            found.append(([f"{one}_to_{other}"], [one], f"{one} {sign} {factor}", descriptions))
    return found


FORMULAS = read_formulas()

# How a language writes pi and the functions of a formula: 0 is all between the brackets, 1 and 2 what its comma parts.
MATH = {
    "py": {"PI": "math.pi", "sqrt": "math.sqrt({0})", "pow": "({1}) ** {2}"},
    "ts": {"PI": "Math.PI", "sqrt": "Math.sqrt({0})", "abs": "Math.abs({0})", "pow": "Math.pow({0})"},
    "rs": {"PI": "std::f64::consts::PI", "sqrt": "({0}).sqrt()", "abs": "({0}).abs()", "pow": "({1}).powf({2})"},
    "go": {"PI": "math.Pi", "sqrt": "math.Sqrt({0})", "abs": "math.Abs({0})", "pow": "math.Pow({0})"},
    "zig": {"PI": "std.math.pi", "sqrt": "@sqrt({0})", "abs": "@abs({0})", "pow": "std.math.pow(f64, {0})"},
}


def in_language(lang, expression):
    """An expression with `PI` and calls, none of them in another, in the language."""
    done = ""
    while call := re.search(r"\b(PI\b|(?:sqrt|abs|pow)\()", expression):
        name = call.group(1).rstrip("(")
        done, rest = done + expression[: call.start()], expression[call.end() :]
        if name == "PI":
            done, expression = done + MATH[lang]["PI"], rest
            continue
        depth, end = 1, 0
        while depth:
            depth += (rest[end] == "(") - (rest[end] == ")")
            end += 1
        inside, expression = rest[: end - 1], rest[end:]
        first, _, last = inside.rpartition(", ")
        done += MATH[lang].get(name, name + "({0})").format(inside, first, last)
    return done + expression


def formula(rng, lang):
    """A formula with a name that many know."""
    names, parameters, expression, descriptions = rng.choice(FORMULAS)
    name = function_case(lang, rng.choice(names), rng, 0.65)
    variables = [case(lang, parameter) for parameter in parameters]
    for parameter, variable in zip(parameters, variables):
        expression = re.sub(rf"\b{parameter}\b", variable, expression)
    description = rng.choice(descriptions)
    if lang == "rs":
        expression = re.sub(r"(?<![\w.])(\d+)(?![\w.])", r"\1.0", expression)
    body = returned(lang, in_language(lang, expression))
    kind = TYPES[lang]["float"]
    code = make_public(lang, name, [(variable, kind) for variable in variables], kind, body, rng)
    return Function(lang, name, description, code, "formula")


# names | what is checked | expression of x; k is a number that is drawn
PLAIN_TESTS = """
is_even | a number is even | {x} % 2 == 0
is_odd | a number is odd | {x} % 2 != 0
is_positive | a number is positive | {x} > 0
is_negative | a number is negative | {x} < 0
is_zero | a number is zero | {x} == 0
is_divisible_by_{k},is_multiple_of_{k} | a number is divisible by {k} | {x} % {k} == 0
is_greater_than_{k} | a number is greater than {k} | {x} > {k}
is_less_than_{k} | a number is less than {k} | {x} < {k}
"""
# the same with names of their own in the expression; p is a number that is drawn
NAMED_TESTS = """
is_adult | a person is an adult given the age | age >= 18
can_vote | a person is old enough to vote | age >= 18
is_teenager | an age is in the teens | age >= 13 && age <= 19
is_senior | a person is at least 65 years old | age >= 65
is_passing | a score is a passing grade | score >= {p}
is_freezing | a temperature in Celsius is at or below freezing | temperature <= 0
is_weekend | a day number is a weekend day | day == 6 || day == 7
is_valid_month | a month number is valid | month >= 1 && month <= 12
is_valid_hour | an hour is valid | hour >= 0 && hour < 24
is_valid_port | a port number is valid | port > 0 && port <= 65535
is_success | an HTTP status code means success | status >= 200 && status < 300
is_redirect | an HTTP status code is a redirect | status >= 300 && status < 400
is_client_error | an HTTP status code is a client error | status >= 400 && status < 500
is_server_error | an HTTP status code is a server error | status >= 500
is_in_range | a value lies between low and high | value >= low && value <= high
is_divisible | a is divisible by b | a % b == 0
is_out_of_stock | the stock is empty | stock == 0
is_expired | a token is expired | now > expires_at
needs_refill | the level is below the minimum | level < minimum
is_square_shape | width and height are equal | width == height
"""


def predicate(rng, lang):
    """A test of a number, or of numbers that have a usual name."""
    k = rng.choice([2, 3, 4, 5, 6, 7, 10, 12, 18, 21, 50, 65, 100, 1000])
    x, p = rng.choice(["n", "number", "value", "x"]), rng.choice([40, 50, 60])
    table = PLAIN_TESTS if rng.random() < 0.5 else NAMED_TESTS
    row = rng.choice(table.strip().split("\n")).format(x=x, k=k, p=p)
    names, what, expression = row.split(" | ")
    parameters = list(dict.fromkeys(re.findall(r"[a-z_]\w*", expression)))
    expression = operators(lang, expression)
    if lang == "zig":
        expression = re.sub(r"(\w+) % (\w+)", r"@mod(\1, \2)", expression)
    for parameter in parameters:
        expression = re.sub(rf"\b{parameter}\b", case(lang, parameter), expression)
    name = function_case(lang, rng.choice(names.split(",")), rng, 0.65)
    description = rng.choice(["Return whether ", "Check if ", "Determine whether ", "Return true if "]) + what
    whole = rng.choice(["i32", "i64"])
    kind = whole if lang == "rs" else TYPES[lang]["int"]
    if lang == "go":
        expression = expression.replace(" % ", "%")
    variables = [(case(lang, parameter), kind) for parameter in parameters]
    code = make_public(lang, name, variables, TYPES[lang]["bool"], returned(lang, expression), rng)
    return Function(lang, name, description, code, "predicate")
