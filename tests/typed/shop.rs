//! A shop, as a context for grammars.

use std::collections::HashMap;

pub const LIMIT: usize = 100;
const SHOP: &str = "maze";
static NAMES: &[&str] = &["ada"];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Food,
    Tool,
    Other(u8),
    Odd { why: u8 },
}

impl Kind {
    pub fn is_tool(self) -> bool {
        self == Kind::Tool
    }
}

#[derive(Clone, Debug)]
pub struct Item {
    pub name: String,
    pub price: f64,
    pub kind: Kind,
    tags: Vec<String>,
    note: Option<String>,
    count: i32,
}

impl Item {
    pub fn free(name: &str, kind: Kind) -> Self {
        Item { name: name.to_string(), price: 0.0, kind, tags: Vec::new(), note: None, count: 0 }
    }

    pub fn total(&self, count: u32) -> f64 {
        self.price * f64::from(count)
    }

    pub fn label(&self) -> &str {
        &self.name
    }

    pub fn into_name(self) -> String {
        self.name
    }

    fn rename(&mut self, name: String) {
        self.name = name;
    }
}

pub struct Cart {
    owner: String,
    items: Vec<Item>,
    stock: HashMap<String, i64>,
}

impl Cart {
    fn find(&self, name: &str) -> Option<Item> {
        self.items.iter().find(|item| item.name == name).cloned()
    }

    fn items(&self) -> &[Item] {
        &self.items
    }
}

impl Default for Cart {
    fn default() -> Self {
        Cart { owner: String::new(), items: Vec::new(), stock: HashMap::new() }
    }
}

fn half(price: f64, count: i32) -> f64 {
    price / 2.0 + f64::from(count)
}

fn repeat(text: &str, times: usize) -> String {
    text.repeat(times)
}

fn cheapest(items: &[Item]) -> Item {
    items[0].clone()
}

fn scaled(by: fn(f64, i32) -> f64, price: f64) -> f64 {
    by(price, 1)
}

fn byte(kind: Kind, small: u8) -> u8 {
    if kind.is_tool() { small } else { 0 }
}

fn longest<'a>(a: &'a str, _b: &str) -> &'a str {
    a
}

fn first<T>(items: Vec<T>) -> Option<T> {
    items.into_iter().next()
}

fn price_of(cart: &Cart, name: String, count: i32, sale: bool, best: Option<Item>) -> f64 {
    0.0
}
