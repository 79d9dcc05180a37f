-- mam for Neovim, 0.8 and later: `require('mam').setup()` after this file is in `lua/` of the configuration.
local M = {}

--- Starts `mamc lsp` for every .mam file. `options.cmd` is the command; other options go to `vim.lsp.start`.
function M.setup(options)
  options = options or {}
  vim.filetype.add({ extension = { mam = 'mam' } })
  vim.api.nvim_create_autocmd('FileType', {
    pattern = 'mam',
    callback = function(event)
      vim.bo[event.buf].commentstring = '// %s'
      vim.bo[event.buf].shiftwidth = 2
      vim.bo[event.buf].expandtab = true
      local config = vim.tbl_extend('force', {
        name = 'mam',
        cmd = { 'mamc', 'lsp' },
        root_dir = vim.fs.dirname(vim.api.nvim_buf_get_name(event.buf)),
        -- Problems are answered in a few milliseconds: no waiting for more keys.
        flags = { debounce_text_changes = 0 },
      }, options)
      vim.lsp.start(config)
    end,
  })
  --- The lens "play": the song, from a bar, in a terminal below.
  vim.lsp.commands['mam.play'] = function(command)
    local file, bar = vim.uri_to_fname(command.arguments[1]), command.arguments[2]
    local args = { (options.cmd or { 'mamc' })[1], 'play' }
    if type(bar) == 'number' and bar > 1 then
      vim.list_extend(args, { '--from', tostring(bar) })
    end
    vim.cmd('botright 8new')
    vim.fn.termopen(vim.list_extend(args, { '--', file }))
  end
end

return M
