#include "lib/base/exits.h"

#include <string>

#include "lib/base/log.h"

namespace base {
namespace {
void print(std::string_view program, const Error& error) {
  std::string line(program);
  line += ": fatal: ";
  line += error.cause;
  log::last_words(line);
}
}  // namespace

int report(std::string_view program, const Error& error) {
  print(program, error);
  return exit_row(error.fault).by_hand;
}

int report_in_chain(std::string_view program, const Error& error) {
  print(program, error);
  return exit_row(error.fault).in_chain;
}

}  // namespace base
