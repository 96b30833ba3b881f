// A weight of a program that nothing writes, as long as the program lives. Libraries arrange weights in forms of their
// own, which then take the place of the plain tensor: a model need not be in memory twice.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "tensor/tensor.h"

namespace threadwheel::dnn {

class Weight {
 public:
  // What a library made of a weight.
  struct Form {
    virtual ~Form() = default;
    // Contiguous, of the weight's sizes.
    virtual Tensor plain(const Dims& sizes) const = 0;
  };
  using FormPtr = std::shared_ptr<const Form>;

  // float32, contiguous.
  explicit Weight(const Tensor& plain) : sizes_(plain.sizes()), plain_(plain) {}

  const Dims& sizes() const noexcept { return sizes_; }
  // Whether it is this tensor, still plain.
  bool is(const Tensor& tensor);

  // For who computes with the weight as it is; it is kept beside all forms from then on.
  Tensor plain();

  // The form that fits, or a new one. Only the first is kept here, the others as long as their users do. To be called
  // in a library call: a fork must not come in the middle.
  FormPtr form(const std::function<bool(const Form&)>& fits, const std::function<FormPtr(const Tensor& plain)>& make);

 private:
  FormPtr find(const std::function<bool(const Form&)>& fits);
  Tensor source();

  const Dims sizes_;
  std::mutex mutex_;
  Tensor plain_;  // undefined: dropped
  bool plain_is_used_ = false;
  FormPtr kept_;
  std::vector<std::weak_ptr<const Form>> others_;
};

}  // namespace threadwheel::dnn
