//! Types in each other, as a context for grammars.

use std::collections::HashMap;

const SMALL: u8 = 200;
const ZERO: i32 = 0;
const FLAG: bool = false;
static RATIO: f32 = 0.5;

#[derive(Clone, Debug)]
pub struct Node {
    value: i8,
    next: Option<usize>,
    children: Vec<Node>,
    title: &'static str,
    visit: fn(i64) -> bool,
}

#[derive(Clone, Copy)]
struct Point {
    x: f32,
    y: f32,
}

impl Point {
    const ORIGIN: Point = Point { x: 0.0, y: 0.0 };

    pub const fn new(x: f32, y: f32) -> Self {
        Point { x, y }
    }

    fn length(&self) -> f32 {
        self.x.hypot(self.y)
    }

    fn added(self, other: &Point) -> Point {
        Point::new(self.x + other.x, self.y + other.y)
    }
}

struct Tuple(u8, u8);
struct Unit;

/// Not `Clone`: it can be borrowed and made, and never copied.
struct Token {
    id: u64,
    name: String,
}

impl Token {
    fn name(&self) -> &String {
        &self.name
    }

    fn into_id(self) -> u64 {
        self.id
    }

    fn pair(&self, other: &Token) -> u64 {
        self.id + other.id
    }
}

enum Shape {
    Circle(f32),
    Square(Point, f32),
    None,
}

fn token(id: u64, name: String) -> Token {
    Token { id, name }
}

fn consume(token: Token) -> i64 {
    token.id as i64
}

fn area(shape: &Shape) -> f32 {
    match shape {
        Shape::Circle(r) => *r,
        Shape::Square(_, side) => *side,
        Shape::None => 0.0,
    }
}

fn is_even(x: i64) -> bool {
    x % 2 == 0
}

fn index(of: u16, small: i16, large: u128) -> isize {
    of as isize + small as isize + large as isize
}

unsafe fn raw() -> i64 {
    0
}

pub(crate) fn sum(numbers: &[i64], by: Option<bool>, counts: &HashMap<u32, Vec<Option<i64>>>) -> i64 {
    let _ = (by, counts);
    numbers.iter().sum()
}

fn complete(
    node: Node,
    token: Token,
    point: &Point,
    deep: &HashMap<u32, Vec<Option<i64>>>,
    names: Vec<String>,
    grid: &[Vec<i64>],
    words: Vec<&'static str>,
    label: &str,
    number: &i64,
    found: Option<Token>,
    byte: u8,
) -> i64 {
    0
}
