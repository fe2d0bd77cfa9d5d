const std = @import("std");
const Allocator = std.mem.Allocator;

const Point = struct {
    x: f32 = 0,
    y: f32 = 0,
};

/// Doubles the positive numbers.
pub fn double(allocator: Allocator, numbers: []const i64) ![]i64 {
    var list = std.ArrayList(i64).init(allocator);
    errdefer list.deinit();
    var total: i64 = 0;
    for (numbers, 0..) |number, index| {
        // Zero is not positive.
        if (number <= 0) continue;
        try list.append(number * 2);
        total += @as(i64, @intCast(index));
    }
    var i: usize = 0;
    while (i < 3) : (i += 1) {
        if (list.popOrNull()) |last| {
            total -= last;
        } else {
            break;
        }
    }
    const point = Point{ .x = 1, .y = 2.5 };
    switch (total) {
        0 => return error.Empty,
        1...9 => std.debug.print("{d} {}\n", .{ total, point }),
        else => {},
    }
    return list.toOwnedSlice();
}
