#include "vsl-filter/lang/failure.h"

#include <utility>

namespace vsl {

std::string_view error_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Arithmetic: return "ErrorArithmetic";
    case ErrorKind::ArrayBounds: return "ErrorArrayBounds";
    case ErrorKind::BitFieldBounds: return "ErrorBitFieldBounds";
    case ErrorKind::AssignmentToConstant: return "ErrorAssignmentToConstant";
    case ErrorKind::DataType: return "ErrorMismatchDataType";
    case ErrorKind::For: return "ErrorFor";
    case ErrorKind::FunctionNotFound: return "ErrorFunctionNotFound";
    case ErrorKind::IndexNotFound: return "ErrorIndexNotFound";
    case ErrorKind::IndexingType: return "ErrorIndexingType";
    case ErrorKind::ModuleNotFound: return "ErrorModuleNotFound";
    case ErrorKind::NonPureMethod: return "ErrorNonPureMethodCallOnConstant";
    case ErrorKind::Parsing: return "ErrorParsing";
    case ErrorKind::Property: return "ErrorPropertyNotFound";
    case ErrorKind::StringBounds: return "ErrorStringBounds";
    case ErrorKind::UnboundThis: return "ErrorUnboundThis";
    case ErrorKind::VariableNotFound: return "ErrorVariableNotFound";
    case ErrorKind::StackOverflow: return "ErrorStackOverflow";
    case ErrorKind::TooManyOperations: return "ErrorTooManyOperations";
    case ErrorKind::DataTooLarge: return "ErrorDataTooLarge";
    case ErrorKind::TimeOut: return "ErrorTerminated";
    case ErrorKind::Exit: return "Exit";
    case ErrorKind::Thrown:
    case ErrorKind::Api:
    case ErrorKind::Runtime: break;
  }
  return "ErrorRuntime";
}

namespace {

std::string place(Span span, const Sources& sources) {
  if (!sources.has(span.source)) return {};
  const Location location = sources.locate(span);
  return sources.at(span.source).name() + ":" + std::to_string(location.line) + ":" + std::to_string(location.column) + ": ";
}

std::string noun(const CallSite& call) {
  if (call.function.empty()) return "the top level";
  if (call.function == "closure") return "a closure";
  return "function `" + call.function + "`";
}

}  // namespace

std::string render(const Failure& failure, const Sources& sources) {
  const auto& stack = failure.stack();
  std::string out = (stack.empty() ? std::string() : place(stack.front().span, sources)) + "error: " + failure.message() + "\n";
  // Of an endless recursion both ends are enough.
  constexpr std::size_t kFirst = 12, kLast = 4;
  for (std::size_t i = 1; i < stack.size(); ++i) {
    if (i == kFirst && stack.size() > kFirst + kLast + 1) {
      out += "  ... " + std::to_string(stack.size() - kFirst - kLast) + " more calls\n";
      i = stack.size() - kLast;
    }
    out += "  " + place(stack[i].span, sources) + "called from " + noun(stack[i]) + "\n";
  }
  return out;
}

}  // namespace vsl
