// threadwheel/jit.h: archives and programs behind handles.
#include "threadwheel/jit.h"

#include <algorithm>

#include "api/access.h"
#include "archive/archive.h"
#include "interpreter/execution.h"
#include "interpreter/module.h"

namespace threadwheel::jit {
namespace detail {

struct MethodBody {
  interpreter::BoundFunction function;
};

struct ModuleBody {
  interpreter::Object object;
};

namespace {

class Arguments final : public interpreter::GivenArguments {
 public:
  Arguments(const std::vector<Value>& values, const NamedValues& named) : values_(values), named_(named) {}

  std::size_t num_positional() const override { return values_.size(); }
  std::size_t num_named() const override { return named_.size(); }
  bool has(const std::string& name) const override { return find(name) != named_.end(); }
  interpreter::Converted positional(std::size_t i, const Type& type) const override {
    return to_argument(type, Access::get(values_[i]));
  }
  interpreter::Converted named(const std::string& name, const Type& type) const override {
    return to_argument(type, Access::get(find(name)->second));
  }

 private:
  NamedValues::const_iterator find(const std::string& name) const {
    return std::ranges::find(named_, name, [](const auto& each) { return each.first; });
  }

  const std::vector<Value>& values_;
  const NamedValues& named_;
};

Value call(const interpreter::BoundFunction& called, const std::vector<Value>& arguments, const NamedValues& named) {
  std::vector<threadwheel::Value> values = interpreter::bind(called, Arguments(arguments, named));
  return Access::wrap(to_result(called.function->name(), interpreter::run(called.function, std::move(values))));
}

std::shared_ptr<const ModuleBody> load(archive::Archive archive, const std::string& model) {
  auto shared = std::make_shared<archive::Archive>(std::move(archive));
  return std::make_shared<const ModuleBody>(interpreter::load(std::move(shared), model));
}

}  // namespace
}  // namespace detail

std::string Method::name() const { return body_->function.function->name(); }

Value Method::operator()(const std::vector<Value>& arguments, const NamedValues& named) const {
  return detail::call(body_->function, arguments, named);
}

std::string Module::name() const { return body_->object.definition().name; }

Value Module::forward(const std::vector<Value>& arguments, const NamedValues& named) const {
  return run_method("forward", arguments, named);
}

Value Module::run_method(const std::string& name, const std::vector<Value>& arguments, const NamedValues& named) const {
  return detail::call(interpreter::method_of(body_->object, name), arguments, named);
}

bool Module::has_method(const std::string& name) const { return body_->object.find_method(name) != nullptr; }

Method Module::method(const std::string& name) const {
  return Method(std::make_shared<const detail::MethodBody>(interpreter::method_of(body_->object, name)));
}

Module load(const std::string& path, const std::string& model) {
  return Module(detail::load(archive::Archive::open(path), model));
}

Module load(std::span<const std::byte> bytes, const std::string& model) {
  return Module(detail::load(archive::Archive::from_bytes(bytes), model));
}

Module freeze(const Module& module) {
  return Module(std::make_shared<const detail::ModuleBody>(interpreter::freeze(module.body_->object)));
}

}  // namespace threadwheel::jit
