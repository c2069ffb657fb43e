/**
 * The caller's environment for a Python of ours: its pip, proxy and certificate settings stay, what would make this Python
 * take another one's packages goes.
 */
export function pythonEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PYTHONHOME, PYTHONPATH, VIRTUAL_ENV, __PYVENV_LAUNCHER__, PIP_TARGET, PIP_PREFIX, PIP_ROOT, ...rest } = env;
  return { ...rest, PIP_USER: "0", PYTHONUTF8: "1" };
}
