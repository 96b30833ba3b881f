// Which forms of a weight are kept.
#include "providers/weight.h"

#include <utility>

#include "parallel/fork_gate.h"

namespace threadwheel::dnn {

bool Weight::is(const Tensor& tensor) {
  const std::lock_guard lock(mutex_);
  return plain_.defined() && plain_.is(tensor);
}

Tensor Weight::plain() {
  const detail::ActivityScope no_fork_here;
  Tensor plain = source();
  const std::lock_guard lock(mutex_);
  plain_is_used_ = true;
  if (!plain_.defined()) plain_ = std::move(plain);
  return plain_;
}

Weight::FormPtr Weight::form(const std::function<bool(const Form&)>& fits,
                             const std::function<FormPtr(const Tensor& plain)>& make) {
  if (FormPtr found = find(fits)) return found;
  FormPtr made = make(source());  // without the lock: two threads that make the same one do no harm
  const std::lock_guard lock(mutex_);
  if (kept_ == nullptr) {
    kept_ = made;
    if (!plain_is_used_) {
      plain_.storage()->trim();
      plain_ = Tensor();
    }
  } else {
    std::erase_if(others_, [](const auto& each) { return each.expired(); });
    others_.push_back(made);
  }
  return made;
}

Weight::FormPtr Weight::find(const std::function<bool(const Form&)>& fits) {
  const std::lock_guard lock(mutex_);
  if (kept_ != nullptr && fits(*kept_)) return kept_;
  for (const auto& each : others_)
    if (FormPtr form = each.lock(); form != nullptr && fits(*form)) return form;
  return nullptr;
}

// The plain tensor, made of the kept form where it was dropped.
Tensor Weight::source() {
  std::unique_lock lock(mutex_);
  if (plain_.defined()) return plain_;
  const FormPtr kept = kept_;
  lock.unlock();
  return kept->plain(sizes_);
}

}  // namespace threadwheel::dnn
