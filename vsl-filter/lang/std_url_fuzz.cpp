// Any text as a URL, to be taken apart, encoded and decoded: what is encoded decodes to itself, and what is taken apart fits together.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/base/utf8.h"
#include "vsl-filter/lang/engine.h"
#include "vsl-filter/lang/object.h"

namespace {

class Nothing : public vsl::Loader {
 public:
  base::Result<vsl::LoadedText> load(std::string_view, std::string_view) override { return base::fail(base::Fault::Config, "no file"); }
};

const vsl::Natives& natives() {
  static const vsl::Natives* all = [] {
    auto* made = new vsl::Natives;
    vsl::add_standard_functions(*made);
    return made;
  }();
  return *all;
}

const vsl::Program& program() {
  static Nothing loader;
  static const vsl::Loaded loaded = vsl::load(vsl::LoadedText{"fuzz", "()"}, loader, natives(), {});
  return *loaded.program;
}

vsl::Result call(vsl::Run& run, std::string_view name, const vsl::Value& argument) {
  vsl::Value copy = argument;
  return natives().find("url", name, 1)->rows.front()->run(run, {&copy, 1});
}

// scheme ":" "//" authority path "?" query "#" fragment: as long as the whole, at most, since parts are decoded; but letters of a host
// in lower case may have three octets where they had two (U+023A).
void check_parts(const vsl::Map& parts, std::size_t octets) {
  std::size_t all = 0;
  for (const char* name : {"scheme", "user", "password", "host", "path", "query", "fragment"}) {
    const vsl::Value* part = parts.find(name);
    if (part == nullptr || !(part->is_unit() || part->is_string())) std::abort();
    if (part->is_string()) all += part->as_text().size();
  }
  const vsl::Value* port = parts.find("port");
  if (port == nullptr || !(port->is_unit() || (port->is_int() && port->as_int() >= 0 && port->as_int() <= 65535))) std::abort();
  if (!parts.find("parameters")->is_map() || !parts.find("path")->is_string() || all > octets + octets / 2) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  if (!base::utf8::is_valid(octets)) return 0;
  vsl::Run run(program(), {});
  const vsl::Value text = run.string(octets);
  const vsl::Result encoded = call(run, "encode", text);
  if (!encoded) std::abort();
  const vsl::Result decoded = call(run, "decode", *encoded);
  if (!decoded || decoded->as_text() != octets) std::abort();
  if (const vsl::Result plain = call(run, "decode", text); plain && !base::utf8::is_valid(plain->as_text())) std::abort();
  if (const vsl::Result parts = call(run, "parse", text)) check_parts(parts->as_map(), size);
  return 0;
}
