"""The made-up school district of the sandbox.

maplewood                     the district as a whole, generated from one seed
families, names, numbers      students and contacts, and the result of a text to each number
schools                       schools, staff, and classes
sis_export                    the district as a OneRoster export, and edits in the SIS
slack_workspace               the staff's Slack accounts and channels
"""
