-- The language server in a headless Neovim (0.7 and later): types a mistake, waits for the problem, applies its fix, asks, renames,
-- formats. MAMC=target/debug/mamc nvim --headless -u NONE -n -S editors/nvim/test.lua
local function fail(words)
  io.stdout:write('FAILED: ' .. words .. '\n')
  vim.cmd('cquit')
end
local function check(what, ok)
  if not ok then fail(what) end
  io.stdout:write('ok ' .. what .. '\n')
end
local function wait(what, ready)
  check(what, vim.wait(20000, ready, 5))
end

local folder = vim.fn.tempname()
vim.fn.mkdir(folder)
vim.fn.writefile({ 'def half(x) = x * 0.5' }, folder .. '/lib.mam')
vim.fn.writefile({ 'use "lib.mam"', '// 𝄞', 'bd = kick()', 'play { bd |x...| }', 'out = half(bd)' }, folder .. '/song.mam')
vim.cmd('edit ' .. folder .. '/song.mam')
local buffer = vim.api.nvim_get_current_buf()
local client = vim.lsp.start_client({
  name = 'mam',
  cmd = { vim.env.MAMC or 'mamc', 'lsp' },
  root_dir = folder,
  flags = { debounce_text_changes = 0 },
})
vim.lsp.buf_attach_client(buffer, client)
wait('attached', function() return vim.lsp.buf_is_attached(buffer, client) end)

local function problems() return vim.diagnostic.get(buffer) end
local function ask(method, params)
  params = params or {}
  params.textDocument = vim.lsp.util.make_text_document_params(buffer)
  local answers = vim.lsp.buf_request_sync(buffer, method, params, 20000)
  return answers and answers[client] and answers[client].result
end
local function at(line, character) return { position = { line = line, character = character } } end

vim.api.nvim_buf_set_lines(buffer, -1, -1, true, { 'x = "𝄞" + kikc()' })
wait('a problem while typing', function() return #problems() > 0 end)
local found
for _, problem in ipairs(problems()) do
  if problem.code == 'unknown-definition' then found = problem end
end
check('its code', found)
-- Neovim counts bytes; the server counted UTF-16.
local text = vim.api.nvim_buf_get_lines(buffer, found.lnum, found.lnum + 1, true)[1]
check('its place', text:sub(found.col + 1, found.end_col) == 'kikc')
local range = { start = { line = found.lnum, character = 0 }, ['end'] = { line = found.lnum, character = 40 } }
local actions = ask('textDocument/codeAction', { range = range, context = { diagnostics = {} } })
check('a fix', actions and actions[1] and actions[1].title:find('kick'))
vim.lsp.util.apply_workspace_edit(actions[1].edit, 'utf-16')
check('the fix in the text', vim.api.nvim_buf_get_lines(buffer, 5, 6, true)[1]:find('kick%(%)'))
vim.api.nvim_buf_set_lines(buffer, 5, 6, true, {})
wait('no problems when it is mended', function() return #problems() == 0 end)

check('hover', ask('textDocument/hover', at(2, 6)).contents.value:find('instrument kick'))
local labels = {}
for _, one in ipairs(ask('textDocument/completion', at(2, 10))) do labels[one.label] = true end
check('completion', labels['f0:'] and labels['freeverb'])
check('definition in another file', ask('textDocument/definition', at(4, 8)).uri:find('lib.mam'))
local rename = at(4, 8)
rename.newName = 'soft'
local edit = ask('textDocument/rename', rename)
vim.lsp.util.apply_workspace_edit(edit, 'utf-16')
check('a new name here', vim.api.nvim_buf_get_lines(buffer, 4, 5, true)[1] == 'out = soft(bd)')
local other = vim.fn.bufnr(folder .. '/lib.mam')
check('and in the file that it uses', vim.api.nvim_buf_get_lines(other, 0, 1, true)[1]:find('def soft'))
vim.api.nvim_buf_set_lines(buffer, 2, 3, true, { 'bd=kick( )' })
local edits = ask('textDocument/formatting', { options = { tabSize = 2, insertSpaces = true } })
vim.lsp.util.apply_text_edits(edits, buffer, 'utf-16')
check('formatted', vim.api.nvim_buf_get_lines(buffer, 2, 3, true)[1] == 'bd = kick()')
io.stdout:write('all ok\n')
vim.cmd('qall!')
