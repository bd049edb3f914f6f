// The one way in which this library reports that something is wrong. It never prints, exits or aborts.
#pragma once

#include <exception>
#include <string>

namespace surprisal {

// What went wrong, as the program's exit codes tell it apart (DESIGN.md section 6).
enum class ErrorKind {
  usage = 2,     // command line or configuration
  data = 3,      // a model, tokenizer, corpus or stream that cannot be used
  memory = 4,    // memory that cannot be had
  diverged = 5,  // a loss or gradient that is not finite
  io = 6,        // disk, permissions, missing files
};

// The parts of a message. `what` is required; a part that is empty is left out of the message.
struct ErrorParts {
  std::string what{};      // "unknown key train.learning_rat"
  std::string where{};     // "run.toml:14:1", "model.safetensors, tensor wte.weight"
  std::string found{};     // "[211, 36]"
  std::string expected{};  // "[211, 48]"
  std::string fix{};       // "did you mean train.learning_rate?"
};

class Error : public std::exception {
 public:
  // In each part, bytes that are no UTF-8 become U+FFFD and control characters \u001b and the like, and what
  // is longer than 64 KiB is cut: files that others made speak in messages, but not to the terminal.
  Error(ErrorKind kind, ErrorParts parts);

  ErrorKind kind() const { return kind_; }
  const ErrorParts& parts() const { return parts_; }
  // One line: "where: what: found F, expected E; fix".
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorKind kind_;
  ErrorParts parts_;
  std::string message_;
};

}  // namespace surprisal
