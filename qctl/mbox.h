// mbox files, in the form mboxrd: every line of ">*From " gets one more ">", so that nothing is lost. For portable.cpp.
#pragma once

#include "qctl/portable.h"

namespace qctl::mbox {

[[nodiscard]] std::string write(const queue::Seen& seen, std::string_view message);
void read(std::string_view octets, const OnPortable& on_message);

}  // namespace qctl::mbox
