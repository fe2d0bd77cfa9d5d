//! The playground without a terminal: frames as snapshots, scenarios from files, bad conditions.

mod chat;
mod frames;
mod hostile;
mod look;
mod playground;
mod scenarios;
mod steps;
mod storm;
