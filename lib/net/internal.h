// What the files of this folder share: libuv's loop behind net::Loop. Not for other rooms.
#pragma once

#include <uv.h>

#include <array>
#include <functional>
#include <vector>

#include "lib/net/loop.h"

namespace net {

struct Loop::Internal {
  uv_loop_t uv;
  uv_prepare_t before_sleep;
  uv_check_t after_io;
  std::vector<std::function<void()>> work;
  bool ends = false;  // the loop is being destroyed: nobody is there to be called back
  // One buffer for all streams: what was read is handed out before the next read.
  std::array<char, 65536> read_buffer;
};

inline uv_loop_t* uv_of(Loop& loop) { return &loop.internal().uv; }

}  // namespace net
