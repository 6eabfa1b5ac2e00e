// Owner of a descriptor.
#pragma once

#include <unistd.h>

#include <utility>

#include "lib/base/result.h"

namespace base {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }                   // borrow
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }  // give away
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  // For files that must be durable: the destructor cannot report.
  [[nodiscard]] Result<void> close() {
    const int fd = release();
    if (fd >= 0 && ::close(fd) != 0) return fail_errno("close");
    return {};
  }

 private:
  int fd_ = -1;
};

}  // namespace base
