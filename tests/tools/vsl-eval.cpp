// vsl-eval: evaluates a script of the language alone, without anything of mail, and prints its value in debug form.
//   vsl-eval [--bytecode] [--unchecked] [--unlimited] [--time] FILE | -e TEXT
// print() goes to standard output, debug() to standard error. Exit code 1 if there was an error.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "vsl-filter/lang/engine.h"

namespace {

struct Request {
  std::string text;
  std::string name = "-e";
  bool shows_bytecode = false;
  bool shows_time = false;
  vsl::LoadOptions options;
};

// Imports are files beside the main one.
class BesideLoader : public vsl::Loader {
 public:
  base::Result<vsl::LoadedText> load(std::string_view path, std::string_view importer) override {
    const auto slash = importer.rfind('/');
    std::string name = slash == std::string_view::npos ? std::string(path) : std::string(importer.substr(0, slash + 1)) + std::string(path);
    if (!name.ends_with(".vsl")) name += ".vsl";
    std::ifstream file(name, std::ios::binary);
    if (!file) return base::fail_errno("open " + name, base::Fault::Config);
    return vsl::LoadedText{name, {std::istreambuf_iterator<char>(file), {}}};
  }
};

bool read_arguments(int argc, char** argv, Request& request) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--bytecode") {
      request.shows_bytecode = true;
    } else if (argument == "--unchecked") {
      request.options.is_checked = false;
    } else if (argument == "--time") {
      request.shows_time = true;
    } else if (argument == "--unlimited") {
      request.options.budget.operations = 0;
      request.options.budget.time = {};
      request.options.budget.memory.octets = std::size_t{1} << 40;
    } else if (argument == "-e" && i + 1 < argc) {
      request.text = argv[++i];
    } else {
      std::ifstream file(argv[i], std::ios::binary);
      if (!file) return std::fprintf(stderr, "vsl-eval: open %s: %s\n", argv[i], std::strerror(errno)), false;
      request.name = argument;
      request.text.assign(std::istreambuf_iterator<char>(file), {});
    }
  }
  return true;
}

void show_bytecode(const vsl::Program& program) {
  for (const auto& module : program.modules()) {
    std::fputs(vsl::disassemble(*module->top_level).c_str(), stdout);
    for (const auto& function : module->functions) std::fputs(vsl::disassemble(*function).c_str(), stdout);
    for (const auto& closure : module->closures) std::fputs(vsl::disassemble(*closure).c_str(), stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  if (!read_arguments(argc, argv, request)) return 1;
  request.options.sinks.print = [](std::string_view text) { std::printf("%.*s\n", static_cast<int>(text.size()), text.data()); };
  request.options.sinks.debug = [](std::string_view text, vsl::Span) { std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data()); };
  vsl::Natives natives;
  vsl::add_standard_functions(natives);
  BesideLoader loader;
  const auto began = std::chrono::steady_clock::now();
  const vsl::Loaded loaded = vsl::load(vsl::LoadedText{request.name, request.text}, loader, natives, {}, request.options);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  if (request.shows_time) std::fprintf(stderr, "%.3f ms\n", took.count());
  if (!loaded.diagnostics.all().empty()) std::fputs(vsl::render(loaded.diagnostics, loaded.sources()).c_str(), stderr);
  if (!loaded.program) return 1;
  if (request.shows_bytecode) show_bytecode(*loaded.program);
  std::printf("%s\n", vsl::debug_of(loaded.program->value()).c_str());
  return 0;
}
