// Execution: one run of a function, as frames on the heap, so that it can stop at a wait and go on later on any thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "interpreter/code.h"
#include "ir/graph.h"

namespace threadwheel::interpreter {

class Execution {
 public:
  // The arguments are those of the function's parameters, all of them.
  Execution(std::shared_ptr<ir::Function> function, std::vector<Value> arguments);

  enum class Status { kDone, kWaiting };

  // Runs until the end or until a future that is not there yet; later, goes on. Throws ScriptError for the program's
  // faults. Not for two threads at once.
  Status resume();

  Value take_result() { return std::move(result_); }
  const Future<Value>& awaited() const noexcept { return awaited_; }

 private:
  struct Frame {
    std::shared_ptr<ir::Function> function;
    const Code* code;
    std::vector<Value> registers;
    std::size_t next = 0;
    std::int32_t destination = 0;  // in the caller's frame
  };

  enum class Next { kSameFrame, kOtherFrame, kWait };

  void push(std::shared_ptr<ir::Function> function, std::vector<Value> arguments, std::int32_t destination);
  void pop(Value result);
  Status run();
  Next step_cold(Frame& frame, const Instruction& instruction);
  Next wait(const Future<Value>& future, Value& out);
  static std::shared_ptr<ir::Function> method_of(const ObjectValue& object, const std::string& name);
  std::string trace() const;

  std::vector<Frame> frames_;
  Value result_;
  Future<Value> awaited_;
};

// Runs a function to its end on this thread: what it waits for is run here when nobody has begun it.
Value run(const std::shared_ptr<ir::Function>& function, std::vector<Value> arguments);

// Runs it on the inter-op pool.
Future<Value> launch(std::shared_ptr<ir::Function> function, std::vector<Value> arguments);

// The code of a function, compiled at the first call.
const Code& code_of(ir::Function& function);

}  // namespace threadwheel::interpreter
