//! The playground without a terminal: frames as snapshots, scenarios from files, bad conditions.

mod chat;
mod earlier;
mod find;
mod frame;
mod frames;
mod hostile;
mod kept;
mod large;
mod look;
mod playground;
mod scenarios;
mod steps;
mod storm;
mod travel;
