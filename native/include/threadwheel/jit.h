// TorchScript programs in C++, without Python in the process: load an archive, call its methods.
//
//   auto model = threadwheel::jit::freeze(threadwheel::jit::load("model.pt"));
//   auto x = threadwheel::jit::from_blob(pixels.data(), {1, 3, 224, 224}, threadwheel::DType::kFloat32);
//   auto scores = model.forward({x}).to_tensor();
//
// Errors are threadwheel::Error. Those of a program end with the TorchScript lines that they come from, innermost first;
// what it raises by name has the code that goes with the name (kValue of a ValueError), or kRuntime.
//
// Any number of threads may load, freeze and call at once, one module or many. Only what a program changes is its
// caller's care: attributes that it sets, and weights and arguments that it writes in place. Calls must have ended when
// main() returns or exit() is called, as oneDNN destroys its tables then.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <threadwheel/error.h>
#include <threadwheel/tensor.h>
#include <threadwheel/value.h>

namespace threadwheel::jit {

namespace detail {
struct MethodBody;
struct ModuleBody;
}  // namespace detail

using NamedValues = std::vector<std::pair<std::string, Value>>;

// A method with its module. A handle, as Module is.
class Method {
 public:
  // A copy is all that a move makes, so that there are no handles to nothing.
  Method(const Method&) = default;
  Method& operator=(const Method&) = default;

  // Qualified: "__torch__.models.Net.forward".
  std::string name() const;

  // Runs it on the calling thread; what it forks, on the inter-op pool. Arguments are given by position, then by name;
  // those with defaults may be left out. An int goes where a float is declared, a list or a tuple for the other.
  // Throws Error(kType) naming the argument that is missing or of a wrong kind, Error(kUnsupported) for a result that is
  // or holds an object, an enum or a future, and the program's own errors.
  Value operator()(const std::vector<Value>& arguments, const NamedValues& named = {}) const;

 private:
  friend class Module;
  explicit Method(std::shared_ptr<const detail::MethodBody> body) : body_(std::move(body)) {}

  std::shared_ptr<const detail::MethodBody> body_;
};

// A loaded program. A handle: copies refer to the same attributes and weights.
class Module {
 public:
  Module(const Module&) = default;  // as a Method's
  Module& operator=(const Module&) = default;

  // The class's qualified name: "__torch__.models.Net".
  std::string name() const;

  // Calls "forward", as Method does.
  Value forward(const std::vector<Value>& arguments, const NamedValues& named = {}) const;
  // Calls a method by name: method(name)(arguments, named).
  Value run_method(const std::string& name, const std::vector<Value>& arguments, const NamedValues& named = {}) const;

  bool has_method(const std::string& name) const;
  // Throws Error(kType) naming the class and the method when there is none of that name, and what is wrong with the
  // source of its signature.
  Method method(const std::string& name) const;

 private:
  friend Module load(const std::string& path, const std::string& model);
  friend Module load(std::span<const std::byte> bytes, const std::string& model);
  friend Module freeze(const Module& module);
  explicit Module(std::shared_ptr<const detail::ModuleBody> body) : body_(std::move(body)) {}

  std::shared_ptr<const detail::ModuleBody> body_;
};

// Loads an archive that torch.jit.save has written. The file is mapped copy-on-write and its weights are read when used:
// it must stay as it is while the module lives. Of a torch.package with several models, `model` names one.
// Methods are compiled at their first call. Throws Error(kRuntime) for a file that cannot be opened, Error(kValue) for a
// damaged one, naming the record, Error(kUnsupported) for a file of another kind, and the errors of programs' own
// __setstate__.
Module load(const std::string& path, const std::string& model = "");

// The same from memory, which is copied.
Module load(std::span<const std::byte> bytes, const std::string& model = "");

// Returns the module with its attributes folded into its methods, which makes calls faster. Weights are shared with
// `module`. Of a frozen module: itself.
Module freeze(const Module& module);

}  // namespace threadwheel::jit
