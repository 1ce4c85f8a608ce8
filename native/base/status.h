// The result of an operation that can fail: ok, or a code and a sentence. The one exception below binding/ is
// that of an allocation that failed: program/load.cc catches it.
#pragma once

#include <string>
#include <utility>

namespace lowbit {

enum class Code {
  kOk,
  kInvalid,        // a program or argument that breaks a rule: a fault of the caller
  kUnsupported,    // a valid wish that no kernel here grants
  kTypeMismatch,   // an operand of another type than the step needs
  kShapeMismatch,  // lengths or shapes that do not fit together
  kLimit,          // more memory than is allowed or to be had
  kCancelled,      // the run was cancelled between two steps
  kNotFinite,      // NaN where a number is needed
  kData,           // values met in a run that an operator has no result for
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

#define LOWBIT_RETURN_IF_ERROR(expression)                                                        \
  do {                                                                                            \
    if (::lowbit::Status lowbit_status = (expression); !lowbit_status.ok()) return lowbit_status; \
  } while (false)

}  // namespace lowbit
