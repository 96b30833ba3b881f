// The interpreter's loop.
#include "interpreter/execution.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "interpreter/script_error.h"
#include "passes/passes.h"
#include "threadwheel/error.h"

namespace threadwheel::interpreter {
namespace {

// The operands of one instruction: registers, or constants of the code.
class Operands {
 public:
  Operands(const Code& code, Value* registers, const Instruction& instruction)
      : code_(code), registers_(registers), operands_(code.operands.data() + instruction.operands) {}

  const Value& operator[](std::size_t i) const {
    const std::int32_t where = operands_[i];
    return where >= 0 ? registers_[where] : code_.constants[static_cast<std::size_t>(~where)];
  }
  Value& destination(std::size_t i) const { return registers_[operands_[i]]; }

 private:
  const Code& code_;
  Value* const registers_;
  const std::int32_t* const operands_;
};

std::vector<Value> collect(const Operands& operands, std::size_t count) {
  std::vector<Value> values;
  values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) values.push_back(operands[i]);
  return values;
}

Value call_kernel(const Operands& operands, const Instruction& instruction) {
  constexpr std::size_t kFew = 16;
  const std::size_t count = instruction.num_operands;
  if (count <= kFew) {
    const Value* pointers[kFew];
    for (std::size_t i = 0; i < count; ++i) pointers[i] = &operands[i];
    return instruction.kernel({pointers, count});
  }
  std::vector<const Value*> pointers(count);
  for (std::size_t i = 0; i < count; ++i) pointers[i] = &operands[i];
  return instruction.kernel(pointers);
}

Value make_dict(const Operands& operands, std::size_t count) {
  auto dict = make_ref<DictValue>();
  for (std::size_t i = 0; i < count; i += 2) dict->set(operands[i], operands[i + 1]);
  return dict;
}

void unpack(const Operands& operands, std::size_t count) {
  const Value whole = operands[0];
  const std::vector<Value>& elements = whole.is_tuple() ? whole.to_tuple() : whole.to_list();
  if (elements.size() != count - 1)
    throw Error(ErrorCode::kValue, "expected " + std::to_string(count - 1) + " elements to unpack, got " +
                                       std::to_string(elements.size()));
  for (std::size_t i = 1; i < count; ++i) operands.destination(i) = elements[i - 1];
}

// What an exception that a program raises by name is to callers in C++.
ErrorCode code_of_raised(std::string_view python_type) {
  static constexpr std::pair<std::string_view, ErrorCode> kCodes[] = {
      {"TypeError", ErrorCode::kType},
      {"ValueError", ErrorCode::kValue},
      {"NotImplementedError", ErrorCode::kUnsupported},
      {"IndexError", ErrorCode::kIndex},
      {"KeyError", ErrorCode::kKey},
      {"ZeroDivisionError", ErrorCode::kZeroDivision},
      {"OverflowError", ErrorCode::kOverflow},
  };
  const auto* const found = std::ranges::find(kCodes, python_type, [](const auto& row) { return row.first; });
  return found == std::end(kCodes) ? ErrorCode::kRuntime : found->second;
}

std::int64_t wrapping(std::uint64_t value) { return static_cast<std::int64_t>(value); }

// A forked task: it completes its own future when its execution ends, however often it had to wait.
class ForkTask final : public detail::ResultState<Value> {
 public:
  ForkTask(std::shared_ptr<ir::Function> function, std::vector<Value> arguments)
      : execution_(std::in_place, std::move(function), std::move(arguments)) {}

 private:
  void run() noexcept override { drive(); }

  void drive() noexcept {
    try {
      if (execution_->resume() == Execution::Status::kWaiting) {
        // Nobody blocks: whoever completes what this waits for sends it back to the pool.
        auto self = std::static_pointer_cast<ForkTask>(shared_from_this());
        execution_->awaited().then([self](const Future<Value>&) {
          threadwheel::launch([self] { self->drive(); });
        });
        return;
      }
      complete([this] { return execution_->take_result(); });
    } catch (...) {
      complete([error = std::current_exception()]() -> Value { std::rethrow_exception(error); });
    }
  }

  template <class Produce>
  void complete(Produce produce) noexcept {
    complete_with([&]() -> Value {
      struct Release {  // what the frames hold is given up before anyone sees the task done
        std::optional<Execution>& execution;
        ~Release() { execution.reset(); }
      } release{execution_};
      return produce();
    });
  }

  std::optional<Execution> execution_;
};

}  // namespace

const Code& code_of(ir::Function& function) {
  if (const void* const ready = function.ready_code.load(std::memory_order_acquire))
    return *static_cast<const Code*>(ready);
  const std::lock_guard lock(function.code_mutex);
  if (function.code == nullptr) function.code = std::shared_ptr<const Code>(compile(passes::prepare(function)));
  function.ready_code.store(function.code.get(), std::memory_order_release);
  return *static_cast<const Code*>(function.code.get());
}

Execution::Execution(std::shared_ptr<ir::Function> function, std::vector<Value> arguments) {
  push(std::move(function), std::move(arguments), 0);
}

void Execution::push(std::shared_ptr<ir::Function> function, std::vector<Value> arguments, std::int32_t destination) {
  constexpr std::size_t kMaxFrames = 1000;
  if (frames_.size() >= kMaxFrames)
    throw Error(ErrorCode::kRuntime, function->name() + ": calls are nested " + std::to_string(kMaxFrames) + " deep");
  const Code& code = code_of(*function);
  std::vector<Value> registers = std::move(arguments);
  registers.resize(code.num_registers);
  frames_.push_back({std::move(function), &code, std::move(registers), 0, destination});
}

Execution::Status Execution::resume() {
  try {
    return run();
  } catch (const ScriptError& error) {
    const ScriptError traced = error.with_trace(trace());
    frames_.clear();
    throw traced;
  } catch (const Error& error) {
    const ScriptError traced(error.code(), "", error.what(), trace());
    frames_.clear();
    throw traced;
  } catch (const std::exception& error) {
    const ScriptError traced(ErrorCode::kRuntime, "", error.what(), trace());
    frames_.clear();
    throw traced;
  }
}

Execution::Status Execution::run() {
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    const Code& code = *frame.code;
    Value* const registers = frame.registers.data();
    const Instruction* const instructions = code.instructions.data();
    for (;;) {
      const Instruction& instruction = instructions[frame.next++];
      const Operands operands(code, registers, instruction);
      Value& out = registers[instruction.destination];
      switch (instruction.opcode) {
        case Opcode::kOp: out = call_kernel(operands, instruction); continue;
        case Opcode::kMove: out = operands[0]; continue;
        case Opcode::kTake: out = std::move(operands.destination(0)); continue;
        case Opcode::kClear:
          for (std::size_t i = 0; i < instruction.num_operands; ++i) operands.destination(i) = Value();
          continue;
        case Opcode::kJump: frame.next = instruction.target; continue;
        case Opcode::kJumpUnless:
          if (!operands[0].to_bool()) frame.next = instruction.target;
          continue;
        case Opcode::kNextRound: {
          const std::int64_t index = operands[0].to_int();
          if (index < operands[1].to_int() && operands[2].to_bool()) {
            out = index;
            operands.destination(0) = index + 1;
          } else {
            frame.next = instruction.target;
          }
          continue;
        }
        case Opcode::kGetAttribute:
          out = operands[0].to_object().slots[static_cast<std::size_t>(instruction.node->index)];
          continue;
        case Opcode::kTupleIndex:
          out = operands[0].to_tuple()[static_cast<std::size_t>(instruction.node->index)];
          continue;
        case Opcode::kAddInt:
          out = wrapping(static_cast<std::uint64_t>(operands[0].to_int()) +
                         static_cast<std::uint64_t>(operands[1].to_int()));
          continue;
        case Opcode::kSubInt:
          out = wrapping(static_cast<std::uint64_t>(operands[0].to_int()) -
                         static_cast<std::uint64_t>(operands[1].to_int()));
          continue;
        case Opcode::kMulInt:
          out = wrapping(static_cast<std::uint64_t>(operands[0].to_int()) *
                         static_cast<std::uint64_t>(operands[1].to_int()));
          continue;
        case Opcode::kLessInt: out = operands[0].to_int() < operands[1].to_int(); continue;
        case Opcode::kLessEqualInt: out = operands[0].to_int() <= operands[1].to_int(); continue;
        case Opcode::kGreaterInt: out = operands[0].to_int() > operands[1].to_int(); continue;
        case Opcode::kGreaterEqualInt: out = operands[0].to_int() >= operands[1].to_int(); continue;
        case Opcode::kEqualInt: out = operands[0].to_int() == operands[1].to_int(); continue;
        case Opcode::kNotEqualInt: out = operands[0].to_int() != operands[1].to_int(); continue;
        case Opcode::kAddFloat: out = operands[0].to_double() + operands[1].to_double(); continue;
        case Opcode::kSubFloat: out = operands[0].to_double() - operands[1].to_double(); continue;
        case Opcode::kMulFloat: out = operands[0].to_double() * operands[1].to_double(); continue;
        case Opcode::kNot: out = !operands[0].to_bool(); continue;
        case Opcode::kAnd: out = operands[0].to_bool() && operands[1].to_bool(); continue;
        case Opcode::kOr: out = operands[0].to_bool() || operands[1].to_bool(); continue;
        default: break;
      }
      // What is left either goes on in this frame, or changes the frames, or waits.
      switch (step_cold(frame, instruction)) {
        case Next::kSameFrame: continue;
        case Next::kOtherFrame: break;
        case Next::kWait: return Status::kWaiting;
      }
      break;
    }
  }
  return Status::kDone;
}

Execution::Next Execution::step_cold(Frame& frame, const Instruction& instruction) {
  const Operands operands(*frame.code, frame.registers.data(), instruction);
  const std::size_t count = instruction.num_operands;
  Value& out = frame.registers.data()[instruction.destination];
  switch (instruction.opcode) {
    case Opcode::kSetAttribute:
      operands[0].to_object().slots[static_cast<std::size_t>(instruction.node->index)] = operands[1];
      break;
    case Opcode::kTuple: out = Value::tuple(collect(operands, count)); break;
    case Opcode::kList: out = Value::list(collect(operands, count)); break;
    case Opcode::kDict: out = make_dict(operands, count); break;
    case Opcode::kUnpack: unpack(operands, count); break;
    case Opcode::kCreateObject: out = Value(make_ref<ObjectValue>(instruction.node->output()->type)); break;
    case Opcode::kIsInstance:
      out = std::ranges::any_of(instruction.node->types,
                                [&](const TypePtr& type) { return is_instance(operands[0], *type); });
      break;
    case Opcode::kEnumName: out = Value(operands[0].to_enum().name); break;
    case Opcode::kEnumValue: out = Value(operands[0].to_enum().value); break;
    case Opcode::kRaise:
      throw ScriptError(code_of_raised(instruction.node->name), instruction.node->name, operands[0].to_string(), "");
    case Opcode::kFork:
      out = Value(make_ref<FutureValue>(interpreter::launch(instruction.node->function, collect(operands, count))));
      break;
    case Opcode::kWait: return wait(operands[0].to_future().future, out);
    case Opcode::kCall:
      push(instruction.node->function, collect(operands, count), instruction.destination);
      return Next::kOtherFrame;
    case Opcode::kCallMethod:
      push(method_of(operands[0].to_object(), instruction.node->name), collect(operands, count),
           instruction.destination);
      return Next::kOtherFrame;
    case Opcode::kReturn: pop(operands[0]); return Next::kOtherFrame;
    default: throw Error(ErrorCode::kRuntime, "interpreter: an instruction is not known");
  }
  return Next::kSameFrame;
}

void Execution::pop(Value result) {
  const std::int32_t destination = frames_.back().destination;
  frames_.pop_back();
  (frames_.empty() ? result_ : frames_.back().registers[static_cast<std::size_t>(destination)]) = std::move(result);
}

// The task that is waited for is run here when nobody has begun it; otherwise the frames stay as they are, and the
// instruction comes again.
Execution::Next Execution::wait(const Future<Value>& future, Value& out) {
  if (!future.try_run()) {
    awaited_ = future;
    --frames_.back().next;
    return Next::kWait;
  }
  out = future.value();
  return Next::kSameFrame;
}

std::shared_ptr<ir::Function> Execution::method_of(const ObjectValue& object, const std::string& name) {
  const auto& find = object.type->definition()->find_method;
  auto method = find ? std::dynamic_pointer_cast<ir::Function>(find(name)) : nullptr;
  if (method == nullptr) throw Error(ErrorCode::kValue, object.type->name() + " has no method '" + name + "'");
  return method;
}

std::string Execution::trace() const {
  std::string text;
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    const ir::Node* const node = frame->next > 0 ? frame->code->instructions[frame->next - 1].node : nullptr;
    text.append("\n  in ").append(frame->function->name());
    if (node != nullptr && node->range.source != nullptr)
      text.append(", ").append(node->range.place()).append("\n").append(node->range.highlight());
  }
  return text;
}

Value run(const std::shared_ptr<ir::Function>& function, std::vector<Value> arguments) {
  Execution execution(function, std::move(arguments));
  while (execution.resume() == Execution::Status::kWaiting) execution.awaited().wait();
  return execution.take_result();
}

Future<Value> launch(std::shared_ptr<ir::Function> function, std::vector<Value> arguments) {
  auto task = std::make_shared<ForkTask>(std::move(function), std::move(arguments));
  task->submit(detail::TaskKind::kInterop);
  return Future<Value>(std::move(task));
}

// --- errors -------------------------------------------------------------------------------------------
ScriptError::ScriptError(ErrorCode code, std::string python_type, std::string problem, std::string trace)
    : Error(code, problem + trace), python_type_(std::move(python_type)), problem_(std::move(problem)),
      trace_(std::move(trace)) {}

ScriptError ScriptError::with_trace(const std::string& more) const {
  return ScriptError(code(), python_type_, problem_, trace_ + more);
}

}  // namespace threadwheel::interpreter
